"""Maps each number of the security checklist to the tests that try the attack, or to why it doesn't apply."""

from __future__ import annotations

from typing import Final

_DOORS = "tests/e2e/test_doors.py::test_a_page_of_another_origin_gets_403_before_the_upgrade"
_TOKENS = (
    "tests/unit/test_tokens.py::test_anything_else_is_refused",
    "tests/security/test_tokens.py::test_rest_refuses_it",
    "tests/security/test_tokens.py::test_no_socket_opens_by_it",
    "tests/security/test_tokens.py::test_no_socket_lives_on_by_it",
)
_MATRIX = "tests/e2e/test_matrix.py::test_the_table_holds"
_FRAMES = "tests/security/test_websocket.py::test_what_breaks_them_ends_the_socket_with_its_code"
_BODIES = "tests/e2e/test_bad_bodies.py::test_a_body_that_is_no_request_is_refused_by_its_code"
_FIELDS = (
    "tests/e2e/test_bad_input.py::test_a_bad_field_over_rest",
    "tests/e2e/test_bad_input.py::test_a_bad_field_over_a_socket",
)
_NO_HTTP = "tests/security/test_http.py::test_what_is_no_http_is_refused_and_nothing_in_it_is_done"
_FORGED = (
    "tests/gateway/test_forgeries.py::test_a_place_that_does_not_exist_is_asked_for_a_few_times_and_forgotten"
)
_HTTP, _WS = "tests/security/test_http.py::", "tests/security/test_websocket.py::"
_INSIDE, _SHOWN = "tests/security/test_inside.py::", "tests/security/test_tokens.py::"
_MEMBERS, _LIMITS = "tests/e2e/test_membership.py::", "tests/e2e/test_limits.py::"
_WHERE, _SERVERS = "tests/outgoing/test_where_to.py::", "tests/outgoing/test_hostile_servers.py::"
_NETWORKS = "tests/outgoing/test_hostile_networks.py::"
_PRIVACY, _CHANGES = "tests/e2e/test_presence_privacy.py::", "tests/e2e/test_changing.py::"

# Class -> number -> the tests.
TRIED: Final[dict[str, dict[int, tuple[str, ...]]]] = {
    "handshake": {
        1: (_DOORS,),
        2: (_DOORS,),
        3: (_DOORS,),
        4: (_HTTP + "test_a_cookie_proves_nothing",),
        5: (_SHOWN + "test_who_shows_no_good_token_is_neither_present_nor_listened_for",),
        6: (
            _SHOWN + "test_no_token_and_no_ticket_is_in_any_log_line",
            "tests/e2e/test_tickets.py::test_of_all_who_bring_it_at_once_over_all_gateways_one_gets_in",
        ),
        7: (
            "tests/e2e/test_seed_connect.py::test_a_foreign_or_broken_user_id_in_the_path_is_closed_with_1008",
        ),
        8: (
            "tests/e2e/test_seed_connect.py::test_the_header_goes_before_the_subprotocol_and_that_before_the_query",
        ),
        9: (_HTTP + "test_a_subprotocol_list_of_a_thousand_is_no_obstacle",),
        11: ("tests/unit/test_http_server.py::test_who_sends_no_whole_request_is_cut_off",),
        12: (
            _HTTP + "test_what_a_client_says_of_itself_in_headers_changes_nothing",
            _HTTP + "test_a_foreign_host_or_an_absolute_address_is_written_nowhere",
        ),
    },
    "tokens": {
        **dict.fromkeys((13, *range(15, 24), 25, 26, 28, 30, 31, 32), _TOKENS),
        14: ("tests/unit/test_tokens.py::test_a_public_key_is_no_secret",),
        29: ("tests/unit/test_tokens.py::test_what_a_token_says_of_keys_leads_nowhere",),
        33: (_SHOWN + "test_a_flipped_bit_in_any_part_is_refused", *_TOKENS),
        34: ("tests/unit/test_settings.py::test_a_bad_variable_is_named_and_its_secrets_are_not_shown",),
        35: (
            "tests/e2e/test_revoking.py::test_a_users_sockets_end_on_every_gateway_and_no_others_do",
            "tests/e2e/test_revoking.py::test_a_token_from_before_lets_nobody_in_and_one_from_after_does",
        ),
        36: (
            "tests/unit/test_tokens.py::test_while_secrets_change_tokens_of_both_are_good_and_of_none_else",
        ),
    },
    "authorisation": {
        37: (
            _MATRIX,
            "tests/e2e/test_doors.py::test_strangers_and_missing_conversations_get_the_same_problem",
        ),
        38: (*_FIELDS, "tests/unit/test_operations.py::test_an_upper_case_id_is_the_same_id"),
        39: (_INSIDE + "test_a_strangers_subscribing_adds_no_subscription",),
        40: (_INSIDE + "test_nothing_that_a_client_names_becomes_a_channel_or_a_pattern",),
        41: (_MEMBERS + "test_going_is_the_last_that_one_hears",),
        42: ("tests/e2e/test_coming_back.py::test_who_was_away_by_removal_gets_nothing_of_that_time",),
        43: (_MATRIX,),
        44: (_MEMBERS + "test_who_comes_back_sees_nothing_of_the_time_between",),
        45: (_MATRIX, _CHANGES + "test_who_may_change_what"),
        46: ("tests/e2e/test_matrix.py::test_through_a_conversation_of_ones_own_nothing_strange_is_seen",),
        47: (
            "tests/e2e/test_reading.py::test_a_seq_is_clamped_to_the_last_and_bad_ones_are_refused",
            _MATRIX,
        ),
        48: ("tests/security/test_claims.py::test_what_is_the_servers_to_say_is_not_taken_from_a_client",),
        49: (
            _MATRIX,
            _MEMBERS + "test_a_direct_has_its_two_for_good",
            _MEMBERS + "test_the_last_admin_stays_one",
            _MEMBERS + "test_the_last_admin_is_followed_by_who_stands_longest",
        ),
        50: (_MEMBERS + "test_a_hundred_creations_of_one_direct_at_once_make_one",),
        51: ("tests/e2e/test_seed_scenarios.py::test_a_strangers_typing_is_an_error_that_nobody_sees",),
        52: (_CHANGES + "test_deleting_leaves_a_tombstone_and_nothing_of_the_text",),
        53: (_MATRIX,),
        54: ("tests/security/test_claims.py::test_an_event_shows_what_the_rest_read_shows",),
        55: ("tests/security/test_claims.py::test_an_event_shows_what_the_rest_read_shows",),
        57: (_HTTP + "test_another_way_of_writing_a_path_is_no_way_around",),
        58: (_HTTP + "test_no_method_gets_by_the_guard",),
        59: (_SHOWN + "test_a_token_in_a_frame_of_anothers_socket_is_nothing",),
        60: (_MEMBERS + "test_a_new_role_counts_at_once",),
    },
    "frames and bodies": {
        61: (_BODIES, _WS + "test_no_text_ends_a_socket"),
        62: (_BODIES, _WS + "test_no_text_ends_a_socket"),
        63: (_BODIES, "tests/e2e/test_bad_bodies.py::test_huge_numbers_in_any_frame_leave_the_socket_alive"),
        64: (_BODIES, "tests/e2e/test_bad_bodies.py::test_huge_numbers_in_any_frame_leave_the_socket_alive"),
        65: ("tests/e2e/test_bad_input.py::test_of_two_equal_keys_the_last_counts",),
        66: ("tests/e2e/test_bad_input.py::test_nul_and_lone_surrogates_in_any_field_over_a_socket",),
        67: ("tests/e2e/test_bad_input.py::test_nul_and_lone_surrogates_in_any_field_over_rest",),
        68: (_BODIES, _FRAMES),
        69: ("tests/e2e/test_bad_bodies.py::test_a_body_is_json_in_utf_8_whatever_its_type_says",),
        70: ("tests/e2e/test_bad_bodies.py::test_a_body_is_json_in_utf_8_whatever_its_type_says",),
        71: (
            "tests/e2e/test_bad_bodies.py::test_a_body_above_the_limit_is_413",
            "tests/e2e/test_seed_errors.py::test_ten_thousand_code_points_pass_and_one_more_is_too_long",
            "tests/e2e/test_seed_errors.py::test_odd_text_comes_back_as_it_was",
        ),
        **dict.fromkeys((72, 73, 74, 76, 80), _FIELDS),
        75: (
            "tests/e2e/test_seed_errors.py::test_an_unknown_type_is_silent_without_a_ref_and_an_error_with_one",
        ),
        77: ("tests/browser/test_client_access.py",),
        78: (_WS + "test_no_text_ends_a_socket", "tests/local/test_loglines.py"),
        79: (_WS + "test_no_text_ends_a_socket",),
    },
    "websocket": {
        81: (_WS + "test_what_keeps_to_the_rules_is_taken", _FRAMES),
        82: (
            _FRAMES,
            "tests/unit/test_frame_masks.py::test_what_is_masked_passes_unchanged_and_nothing_after_what_is_not",
        ),
        83: (
            _FRAMES,
            "tests/e2e/test_seed_errors.py::test_a_frame_of_131072_bytes_passes_and_one_more_closes_with_1009",
        ),
        84: (_WS + "test_no_extension_is_agreed_on", _FRAMES),
        85: (_FRAMES,),
        86: (_WS + "test_a_frame_in_drops_of_one_byte_is_a_frame",),
        87: (_FRAMES, "tests/gateway/test_heartbeat.py::test_a_socket_that_answers_no_ping_is_closed"),
        88: (_WS + "test_no_extension_is_agreed_on",),
        89: (_LIMITS + "test_all_frames_count_and_a_flooding_client_is_closed",),
        90: (_FRAMES,),
        91: (_FRAMES, _WS + "test_a_close_is_answered_and_nothing_after_it_is_read"),
        92: (_WS + "test_who_never_answers_the_servers_close_is_gone_within_ten_seconds",),
        93: ("tests/e2e/test_seed_errors.py::test_a_binary_frame_closes_with_4501_and_a_reason",),
        94: (
            "tests/gateway/test_connection.py::test_a_slow_reader_is_closed_and_gets_no_more_writes",
            "tests/gateway/test_heartbeat.py::test_a_socket_that_answers_no_ping_is_closed",
        ),
    },
    "http": {
        95: (_NO_HTTP,),
        96: (_HTTP + "test_a_request_in_the_body_of_an_upgrade_never_runs",),
        97: ("tests/unit/test_http_server.py::test_the_parser_is_the_compiled_one",),
        98: ("tests/unit/test_http_server.py::test_who_sends_no_whole_request_is_cut_off",),
        99: (_HTTP + "test_slow_bodies_cost_their_senders_a_408_and_nobody_else_anything",),
        100: (
            _NO_HTTP,
            _HTTP + "test_a_thousand_query_keys_are_looked_at_quickly",
            _HTTP + "test_a_body_in_chunks_of_one_byte_is_bounded_too",
        ),
        101: ("tests/e2e/test_bad_bodies.py::test_a_packed_body_is_refused_as_it_is",),
        102: (_HTTP + "test_another_way_of_writing_a_path_is_no_way_around",),
        103: ("tests/e2e/test_doors.py::test_a_page_of_another_origin_gets_403_over_rest_too",),
        104: (_HTTP + "test_a_cookie_proves_nothing",),
        105: (_HTTP + "test_a_foreign_host_or_an_absolute_address_is_written_nowhere",),
    },
    "limits": {
        106: (
            _LIMITS + "test_of_too_many_sockets_of_one_user_the_newest_is_refused_on_any_worker",
            "tests/gateway/test_admission.py::test_sockets_above_the_bound_wait_and_the_rest_are_refused",
        ),
        107: (
            _LIMITS + "test_messages_above_the_rate_are_refused_with_their_ref_and_the_socket_lives_on",
            _LIMITS + "test_the_rate_holds_over_rest_too",
        ),
        108: (_HTTP + "test_what_a_client_says_of_itself_in_headers_changes_nothing",),
        109: (_LIMITS + "test_all_frames_count_and_a_flooding_client_is_closed",),
        110: (_LIMITS + "test_all_frames_count_and_a_flooding_client_is_closed",),
        111: ("tests/security/test_claims.py::test_who_types_without_end_is_told_of_a_few_times",),
        112: ("tests/e2e/test_coming_back.py::test_more_than_the_budget_is_told_and_not_replayed",),
        113: ("tests/e2e/test_tickets.py::test_who_asks_for_too_many_is_told_when_to_ask_again",),
    },
    "presence": {
        115: (_PRIVACY + "test_a_stranger_learns_nothing_by_any_route",),
        116: (_PRIVACY + "test_more_than_500_at_once_are_refused_and_500_are_not",),
        117: (_PRIVACY + "test_who_hides_when_he_was_there_does_not_see_it_of_others",),
        118: (_PRIVACY + "test_leaving_the_last_shared_conversation_ends_the_watching",),
        119: (_PRIVACY + "test_what_one_claims_of_others_or_of_the_time_is_ignored",),
        120: (_PRIVACY + "test_devices_are_nobodys_business",),
        121: (_PRIVACY + "test_a_stranger_and_nobody_take_the_same_time",),
    },
    "back end": {
        126: (
            _FORGED,
            "tests/gateway/test_revocations.py::test_a_revocation_with_an_impossible_moment_is_ignored",
        ),
        127: (_INSIDE + "test_nonsense_on_every_channel_is_survived_by_every_process",),
        129: ("tests/security/test_claims.py::test_sql_in_every_field_is_text",),
        130: ("tests/contract/test_database_roles.py::test_a_role_passes_no_wall",),
        131: (_SHOWN + "test_no_token_and_no_ticket_is_in_any_log_line",),
        132: ("tests/unit/test_audit.py",),
    },
    "requests to the outside": {
        122: (_WHERE + "test_no_address_of_the_special_purpose_registries_is_connected_to",),
        124: (_WHERE + "test_urls_are_refused_early_and_told_why_without_the_url",),
        125: (_WHERE + "test_metadata_servers_are_refused_and_public_addresses_are_not",),
        133: (_NETWORKS + "test_dns_rebinding",),
        134: (_NETWORKS + "test_a_name_of_a_private_address_is_refused",),
        135: (_WHERE + "test_no_form_of_ipv6_with_an_ipv4_address_in_it_is_connected_to",),
        136: (_SERVERS + "test_a_redirect_to_the_metadata_server_is_not_followed",),
        137: (_SERVERS + "test_a_drip_of_a_byte_ends_at_the_deadline",),
        138: (_SERVERS + "test_a_silent_server_ends_at_the_deadline",),
        139: (_SERVERS + "test_endless_headers",),
        140: (_SERVERS + "test_an_endless_body_is_read_to_the_limit_and_its_connection_closed",),
        141: (_SERVERS + "test_endless_chunk_extensions",),
        142: (_SERVERS + "test_a_flood_of_interim_answers",),
        143: (_SERVERS + "test_a_gzip_bomb_is_never_unpacked",),
        144: (_SERVERS + "test_a_wrong_content_length",),
        145: (
            _SERVERS + "test_garbage_that_may_smuggle_an_answer",
            _SERVERS + "test_an_answer_sent_in_advance_is_not_the_next_request_s",
        ),
        146: (_SERVERS + "test_a_reset_connection",),
        147: (_NETWORKS + "test_tls_with_a_wrong_name_an_expired_and_an_unknown_certificate",),
        148: (_NETWORKS + "test_no_tls_where_it_was_expected_and_a_handshake_that_never_ends",),
        149: (
            _NETWORKS + "test_proxy_variables_and_passwords_of_other_programs_have_no_effect",
            _SERVERS + "test_cookies_are_neither_kept_nor_sent",
        ),
        150: (_NETWORKS + "test_logs_have_no_paths_tokens_or_headers",),
        151: (_NETWORKS + "test_requests_at_once_are_bounded_for_each_host_and_for_all",),
        152: (_NETWORKS + "test_connections_that_wait_for_the_next_request_are_bounded",),
    },
}

# Number -> why it is not tried here.
NOT_HERE: Final[dict[int, str]] = {
    10: "TLS ends in front of the gateway, which can't know whether it was there",
    24: "an application that issues several kinds of tokens tells them apart by `aud`, which 22 tries",
    27: "one library reads all tokens, so nobody else reads another user out of them",
    56: "there is no blocking of users",
    114: "without Redis nobody gets in and nothing is sent; what a user may send is counted without it",
    123: "`file_url` may be http or https alone, and is never fetched",
    128: "chat-api and presence have no HTTP but /healthz, /readyz and /metrics",
}
