"""The arithmetic that says what promtool must find: it is our oracle, so it is tested by itself."""

import pytest

from loom.deploy.artifacts.rules.course import GONE, START, counted, firing, held, minutes
from loom.deploy.artifacts.rules.scene import Kind, Stage, play


def test_a_course_is_written_in_stretches() -> None:
    assert str(counted((5, 3), (0, 2), start=0)) == "0+5x3 15x1"
    assert str(held((1.5, 3), (GONE, 3), (2.0, 1))) == "1.5x2 stale _x2 2"
    assert str(held((3.0, 1), (2.0, 1), (1.0, 1))) == "3-1x2"


def test_no_sum_is_inexact_since_a_fall_of_a_counter_is_a_restart() -> None:
    course = counted((0.1, 50), (0, 5), (192.6, 20), (0, 5))
    values = [course.at(minute) for minute in range(len(course))]
    assert values == sorted(values)
    assert all((value * 1024).is_integer() for value in values)


def test_an_increase_is_stretched_to_the_window() -> None:
    course = counted((6, 30))
    assert course.grown(20, 10) == 54
    assert course.increase(20, 10) == pytest.approx(60)
    # So early, Prometheus adds half a step.
    assert course.increase(4, 10) == pytest.approx(6 * 4.5)
    assert course.increase(0, 10) == 0
    assert course.at(0) == START


def test_an_increase_is_never_stretched_beyond_nothing() -> None:
    course = counted((0, 10), (6, 10), start=0)
    assert course.increase(14, 10) == 24
    assert course.increase(19, 10) == pytest.approx(54)
    assert course.increase(20, 10) == pytest.approx(60)


def test_all_that_a_young_series_says_has_occurred() -> None:
    course = held((GONE, 3), (8.0, 12), (9.0, 12), (GONE, 1))
    assert [course.occurred(minute, 10) for minute in (2, 3, 12, 13, 14)] == [0, 8, 8, 0, 0]
    assert course.occurred(15, 10) == pytest.approx(10 / 9)
    assert course.occurred(27, 10) == 0
    assert counted((0, 20)).occurred(9, 10) == START


def test_a_line_is_followed() -> None:
    course = held(*((float(3 * minute), 1) for minute in range(20)))
    assert course.slope(15, 10) == pytest.approx(3)
    assert course.ahead(15, 10, 30) == pytest.approx(45 + 90)
    assert course.least(15, 10) == 18


def test_an_alert_fires_once_its_condition_has_held_long_enough_without_a_break() -> None:
    assert [
        minute for minute, fires in enumerate(firing(lambda minute: 3 <= minute != 6, 2, 9)) if fires
    ] == [5, 9]
    assert firing(lambda minute: minute == 1, 0, 2) == (False, True, False)


def test_a_scene_that_does_not_do_what_it_is_for_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="by its own numbers"):
        play(Kind.FIRES, "never", (), Stage(lambda _: False, 0, 5))
    with pytest.raises(ValueError, match="by its own numbers"):
        play(Kind.QUIET, "always", (), Stage(lambda _: True, 0, 5))


def test_a_scene_looks_before_and_after_every_change_and_at_the_end() -> None:
    scene = play(Kind.FIRES, "for a while", (), Stage(lambda minute: 4 <= minute < 8, 2, 12), 1)
    assert [(look.minute, look.fires) for look in scene.looks] == [
        (1, False),
        (5, False),
        (6, True),
        (7, True),
        (8, False),
        (12, False),
    ]


def test_minutes() -> None:
    assert [minutes(text) for text in ("0m", "15m", "2h", "1d")] == [0, 15, 120, 1440]
