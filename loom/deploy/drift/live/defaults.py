"""What programs add to the configuration that they read, by key; seen on the pinned versions, held by a test.

A key that is new in a later version shows up in `diff --live` until it is listed here: better once too often.
"""

_FALSE, _TRUE = (False,), (True,)
_PROTOCOLS = ["OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4"]

PROMETHEUS: dict[str, tuple[object, ...]] = {
    "action": ("replace",),
    "always_scrape_classic_histograms": _FALSE,
    "api_version": ("v2",),
    "batch_send_deadline": ("5s",),
    "capacity": (10_000,),
    "chunked_read_limit": (50_000_000,),
    "convert_classic_histograms_to_nhcb": _FALSE,
    "enable_compression": _TRUE,
    "enable_http2": (True, False),
    "evaluation_interval": ("1m",),
    "extra_scrape_metrics": _FALSE,
    "filter_external_labels": _TRUE,
    "follow_redirects": _TRUE,
    "gogc": (75,),
    "honor_timestamps": _TRUE,
    "insecure_skip_verify": _FALSE,
    "label_name_preserve_multiple_underscores": _TRUE,
    "label_name_underscore_sanitization": _TRUE,
    "log_level": ("info",),
    "max_backoff": ("5s",),
    "max_samples_per_send": (2000,),
    "max_shards": (50,),
    "metadata_config": ({"send": True, "send_interval": "1m", "max_samples_per_send": 2000},),
    "metric_name_escaping_scheme": ("allow-utf-8",),
    "metric_name_validation_scheme": ("utf8",),
    "metrics_path": ("/metrics",),
    "min_backoff": ("30ms",),
    "min_shards": (1,),
    "outofordertimewindow": (1_800_000,),  # the same in milliseconds, beside out_of_order_time_window
    "protobuf_message": ("prometheus.WriteRequest",),
    "refresh_interval": ("30s", "5m", "1m"),
    "regex": ("(.*)",),
    "remote_timeout": ("30s", "1m"),
    "replacement": ("$1",),
    "scheme": ("http",),
    "scrape_native_histograms": _FALSE,
    "scrape_protocols": (_PROTOCOLS,),
    "scrape_timeout": ("10s",),
    "separator": (";",),
    "timeout": ("10s",),
    "track_timestamps_staleness": _FALSE,
    "translation_strategy": ("UnderscoreEscapingWithSuffixes",),
    "type": ("Bearer", "A"),
}
"""Of Prometheus 3.16; a scrape job also has what `global` says."""

_ALERTMANAGER_ADDRESSES = {
    "opsgenie_api_url": "https://api.opsgenie.com/",
    "pagerduty_url": "https://events.pagerduty.com/v2/enqueue",
    "rocketchat_api_url": "https://open.rocket.chat/",
    "slack_app_url": "https://slack.com/api/chat.postMessage",
    "telegram_api_url": "https://api.telegram.org",
    "victorops_api_url": "https://alert.victorops.com/integrations/generic/20131114/alert/",
    "webex_api_url": "https://webexapis.com/v1/messages",
    "wechat_api_url": "https://qyapi.weixin.qq.com/cgi-bin/",
}
ALERTMANAGER: dict[str, tuple[object, ...]] = {
    "continue": _FALSE,
    "enable_http2": _TRUE,
    "follow_redirects": _TRUE,
    "insecure_skip_verify": _FALSE,
    "max_alerts": (0,),
    "require_tls": _TRUE,
    "resolve_timeout": ("5m",),
    "send_resolved": (True, False),
    "smtp_hello": ("localhost",),
    "smtp_require_tls": _TRUE,
    "timeout": ("0s",),
    **{key: (address,) for key, address in _ALERTMANAGER_ADDRESSES.items()},
}
"""Of Alertmanager 0.34; what it gives a receiver is in RECEIVER."""

RECEIVER = frozenset(
    {"labels", "headers", "html", "text", "title", "title_link", "pretext", "fallback", "footer", "color"}
    | {"username", "callback_id", "icon_emoji", "icon_url", "link_names", "short_fields", "update_message"}
    | {"client", "client_url", "description", "details", "source", "message", "hello", "from", "smarthost"}
    | {"url", "api_url", "app_url"}
)
"""Keys of a receiver that Alertmanager fills from its templates and its global section."""
