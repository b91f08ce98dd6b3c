"""The keys of a LiteLLM configuration that this program knows, and what some of them open.

A key that is not known here is never passed over in silence where it could lead requests on.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SECTIONS = _words("""
    model_list router_settings litellm_settings general_settings environment_variables
    credential_list callback_settings guardrails prompts search_tools sandbox_tools mcp_servers
    mcp_tools mcp_aliases vector_store_registry policies policy_attachments include files_settings
""")
DOOR_SECTIONS = _words("""
    assistant_settings finetune_settings default_vertex_config agents agent_list worker_registry
""")
"""Sections that bring models which no entry lists."""

ROUTER_SETTINGS = _words("""
    redis_url redis_host redis_password redis_port redis_db cache_responses cache_kwargs
    caching_groups client_ttl polling_interval default_priority num_retries max_fallbacks timeout
    stream_timeout default_max_parallel_requests set_verbose debug_level default_fallbacks fallbacks
    context_window_fallbacks content_policy_fallbacks model_group_alias enable_pre_call_checks
    enable_tag_filtering tag_filtering_match_any tag_routing_prefix retry_after retry_policy
    model_group_retry_policy allowed_fails allowed_fails_policy cooldown_time disable_cooldowns
    fallback_on_unsupported_params routing_strategy optional_pre_call_checks routing_strategy_args
    routing_groups provider_budget_config alerting_config router_general_settings
    deployment_affinity_ttl_seconds model_group_affinity_config ignore_invalid_deployments
    enable_health_check_routing health_check_staleness_threshold
    health_check_ignore_transient_errors background_health_check_model_groups
    enable_weighted_failover enable_mid_stream_fallback_continuation
    session_affinity_repin_on_failover
""")
ROUTER_DOORS = _words("plugins default_litellm_params")
"""Router settings that can change every request."""

ENTRY_KEYS = _words("""
    model_name litellm_params model_info tpm rpm max_parallel_requests order weight
""")
CLAIM_KEYS = _words("subject deployment")

LEADS_ON = re.compile(r"fallback|alias|pass_?through|model_list")
"""What the name of a setting looks like that could lead requests on."""

KNOWN_TO_LEAD = _words("""
    fallbacks default_fallbacks context_window_fallbacks content_policy_fallbacks model_group_alias
    model_alias_map enforce_fallback_model_access disable_fallbacks_on_per_model_rate_limits
    pass_through_request_timeout pass_through_endpoints enable_openai_websocket_passthrough
    vertex_ai_pass_through_drop_anthropic_betas model_list_healthy_only
""")
OPEN_DOORS = {
    ("general_settings", "store_model_in_db"): "models can be added by its page or its API",
    ("general_settings", "infer_model_from_keys"): "models are made from keys in the environment",
    ("general_settings", "pass_through_endpoints"): "requests are passed on past the listed models",
    ("general_settings", "enable_openai_websocket_passthrough"): "sockets lead to a provider",
    ("general_settings", "control_plane_url"): "its configuration comes from another place",
    ("environment_variables", "STORE_MODEL_IN_DB"): "models can be added by its page or its API",
}
