// What there is to run. Arguments: SECRET is a file that is denied, FORBIDDEN a program that is, ALLOWED and DENIED ports
// of 127.0.0.1, FENCE the pid of the ancestor that is to be spared, LINK another name of SECRET or FORBIDDEN, READONLY a file
// that may be read, PLACE a name that is not there and has denied ones below it.
#include "guest.h"

#define G(function) int function(int argc, char **argv);
G(guest_open_create) G(guest_open_paths) G(guest_open_magic) G(guest_openat2) G(guest_names) G(guest_fifo)
G(guest_signals) G(guest_limits) G(guest_processes) G(guest_sockets) G(guest_sockets_local) G(guest_objects) G(guest_shapes)
G(attack_race_path_thread) G(attack_race_path_process) G(attack_race_symlink) G(attack_race_dir_exchange)
G(attack_race_dirfd) G(attack_race_chdir) G(attack_race_exec_path) G(attack_race_exec_script_symlink)
G(attack_legacy_open) G(attack_creat) G(attack_hardlink) G(attack_proc_self_fd_reopen) G(attack_o_path_then_open)
G(attack_proc_root) G(attack_openat2_in_root) G(attack_rename_over) G(attack_rename_parent) G(attack_truncate)
G(attack_otmpfile_linkat) G(attack_set_dumpable_0_then_open) G(attack_race_sockaddr) G(attack_race_header) G(attack_race_socket_dup2)
G(attack_mapped_v4) G(attack_unspecified_address) G(attack_fastopen) G(attack_udp_sendmmsg_last)
G(attack_unix_abstract) G(attack_io_uring_open) G(attack_i386_open) G(attack_x32_open) G(attack_open_by_handle)
G(attack_mount_new_api) G(attack_unshare_user) G(attack_clone3_newuser) G(attack_userfaultfd) G(attack_keyctl)
G(attack_memfd_exec) G(attack_ld_so_exec) G(attack_exec_plain) G(attack_tiocsti) G(attack_ptrace_parent)
G(attack_process_vm_parent) G(attack_kill_supervisor) G(attack_proc_supervisor) G(attack_pidfd_getfd_supervisor)
G(attack_race_inherited_mem) G(attack_race_vfork_clone) G(attack_race_clone_vm) G(attack_race_vfork_thread) G(attack_race_mapped_file) G(attack_race_aio)
G(attack_race_clone_fs) G(attack_race_clone_files) G(attack_race_link_of_link) G(attack_link_to_own_proc)
G(attack_unspecified_bound) G(attack_address_lengths) G(attack_reconnect) G(attack_rare_sockets) G(attack_netlink_change)
G(attack_listen_unbound) G(attack_unix_names) G(attack_unix_moved) G(attack_unix_linked_before) G(attack_unix_datagram) G(attack_race_unix_dup2)
G(attack_signal_groups) G(attack_signal_everybody) G(attack_schedule_supervisor) G(attack_schedule_user)
G(attack_limit_supervisor) G(attack_proc_write_supervisor) G(attack_setns_supervisor) G(attack_own_files) G(attack_read_store)
G(attack_control_groups) G(attack_device_node) G(attack_machine_calls) G(attack_clone_flags) G(attack_other_terminal)
G(tool_terminal) G(tool_by_device) G(tool_overhear) G(tool_reuse_terminal) G(tool_bomb) G(tool_threads) G(tool_eat) G(tool_crowd) G(tool_lends) G(tool_unreaped) G(tool_reap_all) G(tool_wait_forever) G(tool_fuzz)
G(tool_makes) G(tool_hoard) G(tool_writes) G(tool_bring) G(tool_stream) G(tool_serve_everywhere) G(tool_relay)
G(attack_line_discipline) G(attack_clone_parent) G(attack_returned_descriptor) G(attack_brought_descriptor) G(attack_streamed_descriptor)
G(tool_exit) G(tool_signal) G(tool_begin) G(tool_count_arguments) G(tool_say_secret) G(tool_descriptors) G(tool_schedule) G(tool_opens)
G(attack_fsetown) G(attack_new_listener) G(attack_memfd_start) G(attack_objects)
G(attack_race_o_path) G(attack_race_path_remote_write) G(attack_unreadable_argument) G(attack_longest_path)
G(attack_upper_halves) G(attack_longer_structs) G(attack_signal_storm) G(attack_hardlink_before) G(attack_proc_self)
G(attack_mounts) G(attack_fanotify) G(attack_raw_disk) G(attack_inherited_descriptors) G(attack_handed_descriptor)
G(attack_interpreters) G(attack_reopen_for_writing) G(attack_metadata) G(attack_replace) G(attack_make_names)
G(attack_race_move_of_link) G(attack_kernel_settings) G(attack_accounting) G(attack_exec_hardlink_before)
G(attack_exec_script_chain) G(attack_exec_launchers) G(attack_exec_from_thread) G(attack_exec_arguments) G(attack_exec_memory) G(attack_exec_stopped) G(attack_race_mapped_stream) G(tool_spill) G(attack_children)
G(attack_i386_exec) G(attack_exec_as_loader) G(attack_exec_filtered) G(tool_make_program) G(tool_dead_files) G(attack_source_route) G(attack_squatted_name) G(attack_claimed_name) G(tool_asks_the_dead) G(tool_begins_with_the_slow) G(attack_named_descriptor) G(attack_exec_allowed_name) G(attack_new_privileges)
G(tool_from_memory) G(tool_lend) G(tool_hand) G(tool_exit) G(tool_signal) G(tool_count_arguments) G(tool_say_secret) G(tool_descriptors) G(tool_schedule) G(tool_opens)
G(tool_spawn) G(tool_maker) G(tool_linger) G(tool_hold) G(tool_calls) G(tool_catch) G(tool_fence) G(tool_victim) G(tool_enter) G(tool_serve)
G(tool_objects) G(tool_numbers) G(tool_talk) G(tool_removes) G(tool_sends) G(tool_without)

const struct guest conformance[] = {
    {"open-create", guest_open_create, ""},
    {"open-paths", guest_open_paths, ""},
    {"open-magic", guest_open_magic, ""},
    {"openat2", guest_openat2, ""},
    {"names", guest_names, ""},
    {"fifo", guest_fifo, ""},
    {"signals", guest_signals, ""},
    {"limits", guest_limits, ""},
    {"processes", guest_processes, ""},
    {"sockets", guest_sockets, ""},
    {"sockets-local", guest_sockets_local, ""},
    {"objects", guest_objects, ""},
    {"shapes", guest_shapes, ""},
    {NULL, NULL, NULL},
};

const struct guest attacks[] = {
    {"race-path-thread", attack_race_path_thread, "SECRET"},
    {"race-path-process", attack_race_path_process, "SECRET"},
    {"race-symlink", attack_race_symlink, "SECRET"},
    {"race-dir-exchange", attack_race_dir_exchange, "SECRET"},
    {"race-dirfd", attack_race_dirfd, "SECRET"},
    {"race-chdir", attack_race_chdir, "SECRET"},
    {"race-inherited-mem", attack_race_inherited_mem, "SECRET"},
    {"race-vfork-clone", attack_race_vfork_clone, "SECRET"},
    {"race-clone-vm", attack_race_clone_vm, "SECRET"},
    {"race-vfork-thread", attack_race_vfork_thread, "SECRET"},
    {"race-mapped-file", attack_race_mapped_file, "SECRET"},
    {"race-mapped-stream", attack_race_mapped_stream, "SECRET FILE"},
    {"race-aio", attack_race_aio, "SECRET"},
    {"race-clone-fs", attack_race_clone_fs, "SECRET"},
    {"race-clone-files", attack_race_clone_files, "SECRET"},
    {"race-link-of-link", attack_race_link_of_link, "SECRET"},
    {"link-to-own-proc", attack_link_to_own_proc, "SECRET"},
    {"race-exec-path", attack_race_exec_path, "FORBIDDEN"},
    {"race-exec-script-symlink", attack_race_exec_script_symlink, "FORBIDDEN"},
    {"legacy-open", attack_legacy_open, "SECRET"},
    {"creat", attack_creat, "SECRET"},
    {"hardlink", attack_hardlink, "SECRET"},
    {"proc-self-fd-reopen", attack_proc_self_fd_reopen, "SECRET"},
    {"o-path-then-open", attack_o_path_then_open, "SECRET"},
    {"proc-root", attack_proc_root, "SECRET"},
    {"openat2-in-root", attack_openat2_in_root, "SECRET"},
    {"rename-over", attack_rename_over, "SECRET"},
    {"rename-parent", attack_rename_parent, "SECRET"},
    {"truncate", attack_truncate, "SECRET"},
    {"otmpfile-linkat", attack_otmpfile_linkat, "SECRET"},
    {"set-dumpable-0-then-open", attack_set_dumpable_0_then_open, "SECRET"},
    {"race-sockaddr", attack_race_sockaddr, "ALLOWED DENIED connect|sendto|sendmsg|sendmmsg"},
    {"race-header", attack_race_header, "ALLOWED DENIED thread|process"},
    {"race-socket-dup2", attack_race_socket_dup2, "ALLOWED DENIED"},
    {"mapped-v4", attack_mapped_v4, "ALLOWED DENIED"},
    {"unspecified-address", attack_unspecified_address, "ALLOWED DENIED"},
    {"fastopen", attack_fastopen, "ALLOWED DENIED"},
    {"udp-sendmmsg-last", attack_udp_sendmmsg_last, "ALLOWED DENIED"},
    {"unix-abstract", attack_unix_abstract, "NAME|PATH"},
    {"io-uring-open", attack_io_uring_open, "SECRET"},
    {"i386-open", attack_i386_open, "SECRET"},
    {"x32-open", attack_x32_open, "SECRET"},
    {"open-by-handle", attack_open_by_handle, "SECRET"},
    {"mount-new-api", attack_mount_new_api, "SECRET"},
    {"unshare-user", attack_unshare_user, ""},
    {"clone3-newuser", attack_clone3_newuser, ""},
    {"userfaultfd", attack_userfaultfd, ""},
    {"keyctl", attack_keyctl, ""},
    {"memfd-exec", attack_memfd_exec, "FORBIDDEN"},
    {"ld-so-exec", attack_ld_so_exec, "FORBIDDEN"},
    {"exec-plain", attack_exec_plain, "FORBIDDEN"},
    {"tiocsti", attack_tiocsti, ""},
    {"line-discipline", attack_line_discipline, ""},
    {"clone-parent", attack_clone_parent, ""},
    {"ptrace-parent", attack_ptrace_parent, "FENCE"},
    {"process-vm-parent", attack_process_vm_parent, "FENCE"},
    {"kill-supervisor", attack_kill_supervisor, "FENCE"},
    {"proc-supervisor", attack_proc_supervisor, "FENCE"},
    {"pidfd-getfd-supervisor", attack_pidfd_getfd_supervisor, "FENCE"},
    {"fsetown", attack_fsetown, "FENCE"},
    {"new-listener", attack_new_listener, ""},
    {"unspecified-bound", attack_unspecified_bound, "DENIED"},
    {"address-lengths", attack_address_lengths, "DENIED"},
    {"reconnect", attack_reconnect, "ALLOWED DENIED"},
    {"rare-sockets", attack_rare_sockets, ""},
    {"netlink-change", attack_netlink_change, ""},
    {"listen-unbound", attack_listen_unbound, ""},
    {"unix-names", attack_unix_names, "SOCKET"},
    {"unix-linked-before", attack_unix_linked_before, "SOCKET LINK"},
    {"unix-moved", attack_unix_moved, "SOCKET"},
    {"unix-datagram", attack_unix_datagram, "SOCKET"},
    {"race-unix-dup2", attack_race_unix_dup2, "SOCKET"},
    {"signal-groups", attack_signal_groups, "FENCE"},
    {"signal-everybody", attack_signal_everybody, ""},
    {"schedule-supervisor", attack_schedule_supervisor, "FENCE"},
    {"schedule-user", attack_schedule_user, ""},
    {"limit-supervisor", attack_limit_supervisor, "FENCE"},
    {"proc-write-supervisor", attack_proc_write_supervisor, "FENCE"},
    {"setns-supervisor", attack_setns_supervisor, "FENCE"},
    {"own-files", attack_own_files, "PATH…"},
    {"read-store", attack_read_store, "FOLDER FILE"},
    {"control-groups", attack_control_groups, ""},
    {"device-node", attack_device_node, "NODE"},
    {"machine-calls", attack_machine_calls, ""},
    {"clone-flags", attack_clone_flags, ""},
    {"other-terminal", attack_other_terminal, "TERMINAL"},
    {"memfd-start", attack_memfd_start, ""},
    {"objects-of-others", attack_objects, "KEY SHM SEM MSG NAME"},
    {"race-o-path", attack_race_o_path, "SECRET"},
    {"race-path-remote-write", attack_race_path_remote_write, "SECRET"},
    {"unreadable-argument", attack_unreadable_argument, "SECRET"},
    {"longest-path", attack_longest_path, "SECRET"},
    {"upper-halves", attack_upper_halves, "SECRET"},
    {"longer-structs", attack_longer_structs, "SECRET"},
    {"signal-storm", attack_signal_storm, "SECRET"},
    {"hardlink-before", attack_hardlink_before, "SECRET LINK"},
    {"proc-self", attack_proc_self, ""},
    {"mounts", attack_mounts, "SECRET"},
    {"fanotify", attack_fanotify, ""},
    {"raw-disk", attack_raw_disk, "SECRET"},
    {"inherited-descriptors", attack_inherited_descriptors, ""},
    {"handed-descriptor", attack_handed_descriptor, "SOCKET"},
    {"returned-descriptor", attack_returned_descriptor, "SOCKET"},
    {"brought-descriptor", attack_brought_descriptor, "SOCKET"},
    {"named-descriptor", attack_named_descriptor, "SOCKET"},
    {"squatted-name", attack_squatted_name, "SOCKET"},
    {"claimed-name", attack_claimed_name, "SOCKET"},
    {"source-route", attack_source_route, ""},
    {"streamed-descriptor", attack_streamed_descriptor, ""},
    {"interpreters", attack_interpreters, "SECRET"},
    {"reopen-for-writing", attack_reopen_for_writing, "READONLY"},
    {"metadata", attack_metadata, "READONLY"},
    {"replace", attack_replace, "READONLY"},
    {"make-names", attack_make_names, "SECRET"},
    {"race-move-of-link", attack_race_move_of_link, "PLACE"},
    {"kernel-settings", attack_kernel_settings, ""},
    {"accounting", attack_accounting, ""},
    {"exec-hardlink-before", attack_exec_hardlink_before, "FORBIDDEN LINK"},
    {"exec-script-chain", attack_exec_script_chain, "FORBIDDEN"},
    {"exec-launchers", attack_exec_launchers, "FORBIDDEN"},
    {"exec-from-thread", attack_exec_from_thread, "FORBIDDEN"},
    {"exec-arguments", attack_exec_arguments, "FORBIDDEN"},
    {"exec-memory", attack_exec_memory, "FORBIDDEN"},
    {"exec-stopped", attack_exec_stopped, "FORBIDDEN"},
    {"children", attack_children, "SECRET"},
    {"i386-exec", attack_i386_exec, "FORBIDDEN"},
    {"exec-as-loader", attack_exec_as_loader, "FIXED"},
    {"exec-filtered", attack_exec_filtered, "FIXED"},
    {"exec-allowed-name", attack_exec_allowed_name, "FORBIDDEN"},
    {"new-privileges", attack_new_privileges, ""},
    {NULL, NULL, NULL},
};

const struct guest tools[] = {
    {"exit", tool_exit, "N"},
    {"signal", tool_signal, "N"},
    {"begin", tool_begin, "ARG…"},
    {"count-arguments", tool_count_arguments, "ARG…"},
    {"say-secret", tool_say_secret, ""},
    {"descriptors", tool_descriptors, ""},
    {"schedule", tool_schedule, ""},
    {"opens", tool_opens, "N PATH [THREADS]"},
    {"spawn", tool_spawn, "N WIDTH [PROGRAM]"},
    {"maker", tool_maker, "DIR MARK [LIMIT]"},
    {"linger", tool_linger, "MARK"},
    {"hold", tool_hold, ""},
    {"calls", tool_calls, "open|write|connect|start PATH"},
    {"catch", tool_catch, ""},
    {"fence", tool_fence, "CMD…"},
    {"without", tool_without, "CALL CMD…"},
    {"from-memory", tool_from_memory, "PROGRAM"},
    {"lend", tool_lend, "FILE CMD…"},
    {"hand", tool_hand, "SOCKET FILE"},
    {"bring", tool_bring, "SOCKET FILE"},
    {"make-program", tool_make_program, "PATH"},
    {"dead-files", tool_dead_files, "FOLDER"},
    {"asks-the-dead", tool_asks_the_dead, "FOLDER"},
    {"begins-with-the-slow", tool_begins_with_the_slow, "FOLDER"},
    {"relay", tool_relay, "FILE PORT [own]"},
    {"stream", tool_stream, "HOW FILE CMD…"},
    {"serve-everywhere", tool_serve_everywhere, ""},
    {"spill", tool_spill, "FILE CMD…"},
    {"victim", tool_victim, "CMD…"},
    {"enter", tool_enter, "DIR CMD…"},
    {"serve", tool_serve, "tcp|sink|udp|unix|unixgram|abstract WORD [NAME|PORT]"},
    {"talk", tool_talk, "PORT BYTES close|exit|kill|dissolve|inherit|early"},
    {"terminal", tool_terminal, ""},
    {"by-device", tool_by_device, "DEVICE [WAY]"},
    {"overhear", tool_overhear, "DEVICE CMD…"},
    {"reuse-terminal", tool_reuse_terminal, ""},
    {"bomb", tool_bomb, "N"},
    {"threads", tool_threads, "N"},
    {"eat", tool_eat, "HOW MIB N"},
    {"writes", tool_writes, "HOW MIB"},
    {"crowd", tool_crowd, "N"},
    {"lends", tool_lends, "MIB"},
    {"unreaped", tool_unreaped, "N"},
    {"reap-all", tool_reap_all, ""},
    {"wait-forever", tool_wait_forever, "N"},
    {"hoard", tool_hoard, "N"},
    {"makes", tool_makes, "DIR N"},
    {"fuzz", tool_fuzz, "SEED CALLS PROCESSES"},
    {"make-objects", tool_objects, ""},
    {"numbers", tool_numbers, "FROM-TO…"},
    {"removes", tool_removes, "N FILE"},
    {"sends", tool_sends, "PORT OTHER"},
    {NULL, NULL, NULL},
};
