internal import SandboxModel

/// Statements that only one dialect has.
extension TokenStatement {
    mutating func mysql(_ i: Int) {
        switch word(i) {
        case "USE":
            findings.add(.sqlSelect, "a statement of the session's own")
            if i + 1 < tokens.count { findings.database(tokens[i + 1].name) }
        case "HELP", "CHECKSUM", "CHECK", "SAVEPOINT", "UNLOCK", "LOCK", "DEALLOCATE", "XA", "CACHE", "HANDLER", "SIGNAL",
            "RESIGNAL", "GET":
            findings.add(.sqlSelect, "a statement of the session's own")
        case "ANALYZE":
            if ["TABLE", "LOCAL", "NO_WRITE_TO_BINLOG"].contains(word(i + 1)) { return findings.add(.sqlSelect, "ANALYZE TABLE") }
            let k = (i + 1..<tokens.count).first { ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"].contains(word($0)) }
            guard let k else { return findings.add(.sqlUnknown, "ANALYZE") }
            var inner = TokenStatement(Array(tokens[k...]), dialect, session: session, level: level)
            inner.read()
            findings.absorb(inner.findings.statement(0..<0))
        case "SET": set(i)
        case "PREPARE": prepare(i)
        case "EXECUTE":
            findings.add(.sqlCall, "EXECUTE")
            if word(i + 1) == "IMMEDIATE" {
                run(i + 2)
            } else if let known = session.prepared[i + 1 < tokens.count ? tokens[i + 1].name : ""] {
                findings.add(known, "what was prepared")
            } else {
                findings.add(.sqlUnknown, "what was prepared is not known")
            }
        case "LOAD":
            guard word(i + 1) != "INDEX" else { return findings.add(.sqlSelect, "LOAD INDEX") }
            findings.add(.sqlInsert, "LOAD DATA")
            if has("REPLACE") { findings.add(.sqlDelete, "LOAD DATA … REPLACE") }
        case "CALL": findings.add(.sqlCall, "CALL")
        case "DO": findings.add(.sqlSelect, "DO")
        case "RENAME": findings.add(word(i + 1) == "USER" ? [.sqlAlter, .sqlGrant] : [.sqlAlter], "RENAME")
        case "OPTIMIZE", "REPAIR", "CHANGE", "STOP": findings.add(.sqlAlter, word(i))
        case "FLUSH": findings.add(has("PRIVILEGES") ? [.sqlCall, .sqlGrant] : [.sqlCall], "FLUSH")
        case "KILL", "SHUTDOWN", "RESTART": findings.add([.sqlCall, .sqlAlter], word(i))
        case "RESET", "PURGE": findings.add([.sqlCall, .sqlDrop], word(i))
        case "INSTALL": findings.add([.sqlCreate, .sqlCopyProgram], "INSTALL runs a library in the server")
        case "UNINSTALL": findings.add([.sqlDrop, .sqlAlter], "UNINSTALL")
        case "CLONE": findings.add([.sqlCopyOut, .sqlCall], "CLONE")
        case "IMPORT": findings.add([.sqlCreate], "IMPORT")
        default: unknown()
        }
    }

    mutating func sqlite(_ i: Int) {
        switch word(i) {
        case "ATTACH":
            let isMemory = tokens[i...].first { $0.kind == .string }.map { [":memory:", ""].contains($0.text) } ?? false
            findings.add(
                isMemory ? .sqlSelect : .sqlCopyOut, isMemory ? "ATTACH of what is gone with the session" : "ATTACH opens another file")
        case "DETACH", "ANALYZE": findings.add(.sqlSelect, "a statement of the session's own")
        case "VACUUM": findings.add(has("INTO") ? [.sqlSelect, .sqlCopyOut] : [.sqlSelect], has("INTO") ? "VACUUM INTO a file" : "VACUUM")
        case "PRAGMA": pragma(i)
        default: unknown()
        }
    }

    private mutating func unknown() {
        findings.add(.sqlUnknown, "a statement that is not known")
        for token in tokens where token.kind == .word {
            let code = Array(token.name.utf8)
            findings.add(Guess.intents(code, dialect, 0..<code.count), token.text)
        }
    }

    private static let readingPragmas: Set<String> = [
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list", "foreign_key_check",
        "integrity_check", "quick_check", "database_list", "collation_list", "function_list", "module_list", "pragma_list",
        "compile_options", "data_version", "freelist_count", "page_count", "optimize",
    ]
    private static let sessionPragmas: Set<String> = [
        "busy_timeout", "cache_size", "case_sensitive_like", "foreign_keys", "query_only", "synchronous", "temp_store", "mmap_size",
        "threads", "cache_spill", "recursive_triggers", "reverse_unordered_selects", "read_uncommitted", "trusted_schema",
        "cell_size_check",
        "analysis_limit", "automatic_index", "locking_mode",
    ]
    private mutating func pragma(_ i: Int) {
        let k = symbol(i + 2) == "." ? i + 3 : i + 1
        let name = k < tokens.count ? tokens[k].name.lowercased() : ""
        let sets = symbol(k + 1) == "=" || symbol(k + 1) == "("
        switch name {
        case _ where TokenStatement.readingPragmas.contains(name) || TokenStatement.sessionPragmas.contains(name):
            findings.add(.sqlSelect, "PRAGMA \(name)")
        case "writable_schema": findings.add(sets ? [.sqlAlter, .sqlUnknown] : [.sqlSelect], "PRAGMA writable_schema")
        case "temp_store_directory", "data_store_directory": findings.add(sets ? [.sqlAlter, .sqlCopyOut] : [.sqlSelect], "PRAGMA \(name)")
        case "wal_checkpoint", "incremental_vacuum", "shrink_memory", "wal_autocheckpoint": findings.add(.sqlCall, "PRAGMA \(name)")
        default: findings.add(sets ? [.sqlAlter] : [.sqlSelect], "PRAGMA \(name)")
        }
    }

    private mutating func set(_ i: Int) {
        findings.add(.sqlSelect, "SET")
        if ["PASSWORD", "ROLE"].contains(word(i + 1)) || word(i + 1) == "DEFAULT" && word(i + 2) == "ROLE" {
            findings.add(.sqlGrant, "SET \(word(i + 1))")
        }
        if ["NAMES", "CHARACTER", "CHARSET"].contains(word(i + 1)) {
            let value = tokens.dropFirst(i + 2).first { !$0.isWord("SET") }?.name
            if SettingEffect.changesReading("names", to: value ?? "?") { session.isReadDifferently = true }
        }
        for k in i + 1..<max(tokens.count, i + 1) {
            let name = tokens[k].name.lowercased().split(separator: "@").last.map(String.init) ?? ""
            if tokens[k].isWord(["GLOBAL", "PERSIST", "PERSIST_ONLY"])
                || tokens[k].kind == .parameter && ["@@global", "@@persist", "@@persist_only"].contains(tokens[k].text.lowercased())
            {
                findings.add(.sqlAlter, "SET GLOBAL")
            }
            guard tokens[k].kind != .string, tokens[k].kind != .number else { continue }
            let last = name.split(separator: ".").last.map(String.init) ?? name
            if let (intents, reason) = SettingEffect.of(last), last != "role" { findings.add(intents, "SET: \(reason)") }
            if ["sql_mode", "character_set_client"].contains(last) {
                let value = tokens.dropFirst(k + 1).first { $0.kind == .string || $0.kind == .word }?.name
                if SettingEffect.changesReading(last, to: value ?? "?") { session.isReadDifferently = true }
            }
        }
    }

    private mutating func prepare(_ i: Int) {
        findings.add(.sqlSelect, "PREPARE")
        guard let from = tokens.indices.first(where: { word($0) == "FROM" }), i + 1 < tokens.count else {
            return findings.add(.sqlUnknown, "PREPARE")
        }
        run(from + 1)
        session.prepared[tokens[i + 1].name] = findings.intents
    }

    /// A string that is run as a statement.
    private mutating func run(_ i: Int) {
        guard i == tokens.count - 1, tokens[i].kind == .string, level < 2, !tokens[i].text.contains("\\") else {
            return findings.add(.sqlUnknown, "runs text that is not known")
        }
        var reader = TokenReader(Array(tokens[i].text.utf8), dialect, session: session, level: level + 1)
        for statement in reader.read() { findings.absorb(statement) }
    }
}

/// Functions of MySQL and SQLite that PostgreSQL does not have, and words before a bracket that are none; all harmless.
enum MoreFunctions {
    static let harmless = Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    private static let text = """
        in conflict values value exists select from where and or not any all some on using by set having limit between like is case
        when then else if ifnull nullif coalesce cast convert interval distinct count union except intersect rank row exclude
        partition range rows key index group_concat concat_ws concat char_length date_format date_add date_sub adddate subdate
        datediff timediff timestampdiff timestampadd curdate curtime current_date current_time current_timestamp utc_timestamp
        utc_date utc_time sysdate localtime localtimestamp unix_timestamp from_unixtime str_to_date dayofweek dayofmonth dayofyear
        dayname monthname last_day quarter week weekday weekofyear year month day hour minute second microsecond yearweek to_days
        from_days time_format time_to_sec sec_to_time maketime makedate rand uuid uuid_short bin hex unhex oct conv crc32 md5 sha
        sha1 sha2 password aes_encrypt aes_decrypt compress uncompress inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv6
        field find_in_set elt export_set make_set format insert instr locate lcase ucase mid space soundex strcmp substring_index
        substr quote regexp_replace regexp_like regexp_instr regexp_substr json_extract json_unquote json_set json_insert
        json_replace json_remove json_contains json_contains_path json_array json_keys json_length json_valid json_type json_merge
        json_merge_patch json_merge_preserve json_arrayagg json_objectagg json_search json_table json_quote json_depth json_pretty
        json_each json_tree json_group_array json_group_object json_patch json greatest least truncate pow power ln log2 sign pi
        radians any_value bit_count bit_length isnull last_insert_id row_count found_rows version database schema user session_user
        system_user current_user connection_id charset collation coercibility std stddev variance var_pop var_samp stddev_pop
        stddev_samp grouping first_value ntile lag lead total total_changes changes last_insert_rowid typeof unicode char glob
        printf zeroblob randomblob random iif likely unlikely julianday strftime datetime time date unixepoch sqlite_version
        sqlite_source_id sqlite_compileoption_used max min sum avg abs round lower upper trim ltrim rtrim replace length substring
        match bm25 highlight snippet rtreecheck generate_series octet_length trunc mod floor ceil ceiling degrees string_agg decimal
        varchar int integer bigint binary nchar signed unsigned numeric text real blob as over window order asc desc xor div regexp
        rlike escape default auto_increment ignore against found st_distance st_within st_contains point polygon get_lock
        release_lock is_free_lock sleep benchmark weight_string to_base64 from_base64 name_const bit_and bit_or bit_xor subtime
        addtime period_add ord nvl nvl2 json_overlaps json_value json_query json_exists json_array_append json_array_insert
        json_storage_size json_schema_valid json_compact json_detailed json_loose json_error_position jsonb jsonb_array
        jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace
        jsonb_set is_used_lock ps_current_thread_id format_bytes bin_to_uuid uuid_to_bin is_uuid random_bytes statement_digest
        to_seconds convert_tz get_format extractvalue sformat natural_sort_key add_months lengthb mbrcontains unistr_quote median
        percentile subtype likelihood sha3 base64 base85 decimal_add decimal_sub decimal_mul decimal_sum ieee754 offsets st_area
        st_asgeojson st_astext st_buffer st_dwithin st_geomfromtext st_intersects st_length st_makepoint st_setsrid st_srid
        st_transform st_x st_y
        """
}
