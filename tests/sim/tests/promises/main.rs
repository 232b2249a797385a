//! What calls keep to, in virtual time: the names of the modules and their functions are the list.
//!
//! One program, because linking one for each would take longer than running them all. `forwarding_allocates_nothing` is apart: it counts what the
//! allocator of its program gives.

mod a_fault_costs_one_participant;
mod a_lost_websocket_changes_nothing;
mod a_new_transport_carries_the_session_on;
mod a_repeated_offer_is_answered_again;
mod anything_in_any_order;
mod bad_links_are_survived;
mod calls_come_back;
mod calls_end_well;
mod cold_links_bring_everything;
mod data_reaches_whom_it_is_for;
mod decisions_can_be_looked_into;
mod encodings_come_and_go;
mod every_protection_profile_works;
mod everybody_hears_how_everybody_is_connected;
mod everybody_receives_what_they_should;
mod guests_pay_for_themselves;
mod http_sessions_live_by_consent;
mod key_frames_are_spread;
mod late_joiners_see_a_picture_at_once;
mod limits_are_kept;
mod loss_5_percent_is_repaired;
mod messages_reach_who_moves;
mod moderators_keep_order;
mod moving_addresses_keep_the_call;
mod mute_silences_and_unmute_resumes;
mod nobody_sends_what_nobody_watches;
mod nothing_stays_of_who_went;
mod numbers_wrap_unnoticed;
mod participants_move_between_edges;
mod paths_are_measured;
mod policies_bind_the_router;
mod publications_come_and_go;
mod publications_go_over_trees;
mod redundant_audio_passes_through;
mod reports_tell_the_truth;
mod rooms_go_without_the_edge;
mod rooms_span_edges;
mod rooms_spread_over_shards;
mod sections_change_while_the_call_goes_on;
mod simulcast_arrives;
mod slots_change_hands_seamlessly;
mod spatial_layers_come_and_go;
mod speakers_are_noticed;
mod strangers_change_nothing;
mod stun_rfc5769;
mod the_loudest_are_heard;
mod the_seed_decides;
mod the_world_turns;
mod viewers_get_what_they_show;
