"""Every attribute of the contract's metrics and spans, with its values or its budget."""

from loom.contract.attribute import Attribute

# Metric and span attributes with a closed set of values.
QOS = Attribute("qos", "Quality of service of the event.", ("realtime", "batched", "background"))
DROP_REASON = Attribute(
    "reason",
    "Why the event was dropped.",
    ("queue_full", "backpressure", "no_subscriber", "expired", "closed"),
)
CALL_STATUS = Attribute("status", "How the call ended.", ("ok", "error", "timeout", "not_found"))
PROVIDER_TYPE = Attribute("provider_type", "What serves the capability.", ("native", "wasm", "grpc", "mcp"))
ROUTE = Attribute(
    "route", "The route that was chosen.", ("Local", "Cloud", "Hybrid", "LocalFallback", "Defer", "Drop")
)
ROUTE_REASON = Attribute(
    "reason",
    "Code of the rule that decided.",
    (
        "privacy_local_only",
        "privacy_no_local_model",
        "privacy_private",
        "local_confident",
        "latency_budget",
        "cost_cap",
        "hybrid_refine",
        "cloud_capable",
        "no_endpoint",
        "estimator_failed",
    ),
)
POLICY_TYPE = Attribute(
    "policy_type", "The policy that was violated.", ("latency_budget", "cost_cap", "privacy", "quality")
)
EVENT_OUTCOME = Attribute(
    "outcome", "What became of the event.", ("ok", "error", "expired", "deferred", "dropped")
)
ATTEMPT_OUTCOME = Attribute("outcome", "Whether the attempt succeeded.", ("ok", "failed"))
RUN_OUTCOME = Attribute("outcome", "How the run ended.", ("answered", "tool_limit", "error", "timeout"))
PHASE = Attribute("phase", "What the model was asked for.", ("plan", "refine"))
LOST_REASON = Attribute(
    "reason", "Why the span never reached the collector.", ("queue_full", "export_failed", "shutdown")
)
TOKEN_TYPE = Attribute("gen_ai.token.type", "Which side of the request.", ("input", "output"))
OPERATION_NAME = Attribute("gen_ai.operation.name", "Always `chat`: a model request.", ("chat",))

# Metric and span attributes with a budget.
TOPIC = Attribute("topic", "Topic pattern: ids inside a topic are recorded as `*`.", budget=200)
CAPABILITY = Attribute("capability", "Name of the capability.", budget=200)
TOOL = Attribute("tool", "Name of the tool, as `server:tool` when it comes from MCP.", budget=200)
SERVER = Attribute("server", "Name of the MCP server.", budget=50)
AGENT_TYPE = Attribute("agent_type", "Type of the agent, never its id.", budget=50)
ACTION_TYPE = Attribute("action_type", "Type of the action.", budget=200)
ERROR_CODE = Attribute("error_code", "Short code of the error, never its text.", budget=50)
ERROR_TYPE = Attribute("error.type", "Class of the error.", budget=50)
PROVIDER_NAME = Attribute("gen_ai.provider.name", "The model's provider.", budget=20)
REQUEST_MODEL = Attribute("gen_ai.request.model", "The model that was asked for.", budget=50)
OVERFLOW_METRIC = Attribute("metric", "The metric whose attribute ran over.", budget=100)
OVERFLOW_ATTRIBUTE = Attribute("attribute", "The attribute whose budget was spent.", budget=50)

# Span attributes only: unbounded, therefore never on a metric.
EVENT_ID = Attribute("event_id", "Id of the event.")
EVENT_TYPE = Attribute("event_type", "Type of the event, chosen by its publisher.")
DELIVERED = Attribute("delivered", "Subscription queues the event entered.", type="int")
DROPPED = Attribute("dropped", "Subscriptions the event was dropped for.", type="int")
SUBSCRIPTION_ID = Attribute("subscription_id", "Id of the subscription.")
AGENT_ID = Attribute("agent_id", "Id of the agent.")
CALL_ID = Attribute("call_id", "Id of the call; the key of the result cache.")
VERSION = Attribute("version", "Version of the capability that served the call.")
TIMEOUT = Attribute("timeout", "Deadline of the call in seconds.", type="double")
CACHE_HIT = Attribute("cache_hit", "Whether a finished or running call was joined.", type="boolean")
CONFIDENCE = Attribute("confidence", "Confidence of the decision, 0 to 1.", type="double")
ESTIMATED_LATENCY = Attribute("estimated_latency", "Expected latency in seconds.", type="double")
ESTIMATED_COST = Attribute("estimated_cost", "Expected cost in USD.", type="double")
TRANSPORT = Attribute("transport", "How the MCP server is reached.", ("stdio", "streamable_http"))
PROTOCOL_VERSION = Attribute("protocol_version", "MCP protocol version that was negotiated.")
TOOLS = Attribute("tools", "Number of tools.", type="int")
RUN_ID = Attribute("run_id", "Id of the orchestrator run.")
TOOL_CHOICE = Attribute("tool_choice", "Whether tools may be used.", ("auto", "required", "none"))
TOOL_NAME = Attribute("gen_ai.tool.name", "Name of the tool.")
INPUT_TOKENS = Attribute("gen_ai.usage.input_tokens", "Tokens of the prompt.", type="int")
OUTPUT_TOKENS = Attribute("gen_ai.usage.output_tokens", "Tokens of the answer.", type="int")
# Content: only where OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT asks for it.
INPUT_MESSAGES = Attribute("gen_ai.input.messages", "What the model was sent, as JSON.")
OUTPUT_MESSAGES = Attribute("gen_ai.output.messages", "What the model answered, as JSON.")
TOOL_ARGUMENTS = Attribute("gen_ai.tool.call.arguments", "What the tool was called with.")
TOOL_RESULT = Attribute("gen_ai.tool.call.result", "What the tool returned.")

MESSAGING_SYSTEM = Attribute("messaging.system", "Always `loom`.", ("loom",))
MESSAGING_OPERATION = Attribute("messaging.operation.type", "Always `send`: a publish.", ("send",))
MESSAGING_DESTINATION = Attribute("messaging.destination.name", "The topic as published.")
MESSAGING_ID = Attribute("messaging.message.id", "Id of the event.")
