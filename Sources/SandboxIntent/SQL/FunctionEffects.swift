internal import SandboxModel

/// Functions that do more than compute.
struct FunctionEffect {
    var intents: IntentSet
    var reason: String
    /// It runs SQL that it is given as text.
    var runsText = false

    /// Nil: harmless. The name is without its schema, in small letters.
    static func of(_ name: String, schema: String?) -> FunctionEffect? {
        if let effect = table[name] { return effect }
        for (prefix, effect) in families where name.hasPrefix(prefix) { return effect }
        if schema == nil || schema == "pg_catalog" || schema == "information_schema", KnownFunctions.harmless.contains(name) { return nil }
        return FunctionEffect(intents: [.sqlCall], reason: "a function that may do anything")
    }

    private static let serverFile = FunctionEffect(intents: [.sqlCall, .sqlCopyOut], reason: "a function that reads the server's files")
    private static let fileWriter = FunctionEffect(intents: [.sqlCall, .sqlCopyOut], reason: "a function that writes the server's files")
    private static let program = FunctionEffect(intents: [.sqlCall, .sqlCopyProgram], reason: "a function that runs programs")
    private static let server = FunctionEffect(intents: [.sqlCall, .sqlAlter], reason: "a function that changes the server")
    private static let remote = FunctionEffect(
        intents: [.sqlCall, .sqlCopyOut], reason: "a function that talks to another server", runsText: true)
    private static let query = FunctionEffect(intents: [.sqlCall], reason: "a function that runs the SQL it is given", runsText: true)
    private static let tableDump = FunctionEffect(intents: [.sqlCall, .sqlSelect], reason: "a function that reads whole tables")

    private static let families: [(String, FunctionEffect)] = [
        ("dblink", remote), ("pg_read_", serverFile), ("pg_ls_", serverFile), ("pg_file_", fileWriter), ("query_to_xml", query),
        ("cursor_to_xml", query), ("table_to_xml", tableDump), ("schema_to_xml", tableDump), ("database_to_xml", tableDump),
        ("crosstab", query), ("binary_upgrade_", server), ("pg_replication_", server), ("pg_logical_", server), ("pg_stat_reset", server),
        ("sys_e", program), ("pg_backup_", server), ("cron_", query),
    ]
    private static let table: [String: FunctionEffect] = {
        var table: [String: FunctionEffect] = [:]
        for name in ["pg_stat_file", "pg_hba_file_rules", "pg_current_logfile", "lo_import", "load_file", "readfile", "fsdir"] {
            table[name] = serverFile
        }
        for name in ["lo_export", "writefile", "edit"] { table[name] = fileWriter }
        for name in ["load_extension", "system", "exec", "xp_cmdshell", "shell_exec"] { table[name] = program }
        for name in ["ts_stat", "ts_rewrite", "xpath_table", "connectby", "query_to_json", "run_command_on_workers", "eval"] { table[name] = query }
        for name in [
            "pg_reload_conf", "pg_rotate_logfile", "pg_switch_wal", "pg_promote", "pg_create_restore_point", "pg_terminate_backend",
            "pg_cancel_backend", "pg_create_logical_replication_slot", "pg_create_physical_replication_slot", "pg_wal_replay_pause",
            "pg_copy_logical_replication_slot", "pg_copy_physical_replication_slot", "pg_wal_replay_resume", "pg_extension_config_dump",
            "pg_import_system_collations",
        ] { table[name] = server }
        table["pg_drop_replication_slot"] = FunctionEffect(intents: [.sqlCall, .sqlDrop], reason: "drops a replication slot")
        for name in ["lo_put", "lowrite", "setval", "lo_open"] {
            table[name] = FunctionEffect(intents: [.sqlCall, .sqlUpdate], reason: "a function that changes data")
        }
        for name in ["lo_create", "lo_creat", "lo_from_bytea"] {
            table[name] = FunctionEffect(intents: [.sqlCall, .sqlInsert], reason: "a function that stores data")
        }
        for name in ["lo_unlink", "lo_truncate", "lo_truncate64"] {
            table[name] = FunctionEffect(intents: [.sqlCall, .sqlDelete], reason: "a function that removes data")
        }
        return table
    }()
}

/// Settings whose change is more than a session's own business.
enum SettingEffect {
    static func of(_ name: String) -> (IntentSet, String)? {
        switch name {
        case "role", "session_authorization": return ([.sqlGrant], "becomes another role")
        case "session_replication_role", "row_security", "allow_system_table_mods", "zero_damaged_pages", "lo_compat_privileges",
            "ignore_system_indexes", "foreign_key_checks", "sql_log_bin", "sql_safe_updates":
            return ([.sqlAlter], "turns a safeguard off: \(name)")
        case _ where name.hasSuffix("_command") || name.hasSuffix("_preload_libraries") || name == "dynamic_library_path"
            || name.hasSuffix("_program"):
            return ([.sqlCopyProgram], "names what the server is to run: \(name)")
        default: return nil
        }
    }
    /// What makes the server read text in another way than we do.
    static func changesReading(_ name: String, to value: String?) -> Bool {
        switch name {
        case "standard_conforming_strings": return value != "on"
        case "sql_mode": return true
        case "client_encoding", "names", "character_set_client":
            guard let value = value?.lowercased().filter({ $0.isLetter || $0.isNumber }) else { return name != "names" }
            let plain = ["utf8", "unicode", "latin", "iso8859", "win125", "sqlascii", "ascii", "default", "koi8", "binary"]
            return !plain.contains { value.hasPrefix($0) }
        default: return false
        }
    }
}
