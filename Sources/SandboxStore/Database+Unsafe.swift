internal import CSQLite
internal import Glibc

/// One connection to the trail's SQLite file, through the C API: at a million rows a session what stands above
/// it costs more than the rows (FACTS.md section 4). Used by one thread at a time.
final class Database {
    enum Mode { case readWrite, readOnly }

    fileprivate let handle: OpaquePointer
    let path: String

    init(path: String, mode: Mode) throws(StoreError) {
        if mode == .readWrite {
            // Made here with its mode: SQLite would use 0644 and the umask; -wal and -shm take the mode after it.
            let file = try check("open", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600)) }
            close(file)
        }
        var handle: OpaquePointer?
        let flags = (mode == .readWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw .database(call: "open", object: path, code: code, message: message)
        }
        self.handle = handle
        self.path = path
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 5000)
        // The last writer to leave need not wait for the disk; the next commit past 1,000 pages checkpoints.
        _ = csqlite_no_checkpoint_on_close(handle)
    }

    deinit { sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws(StoreError) {
        try require(sqlite3_exec(handle, sql, nil, nil, nil), sql)
    }

    func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            try? execute("ROLLBACK")
            throw error
        }
    }

    func prepare(_ sql: String) throws(StoreError) -> Statement { try Statement(self, sql) }

    var lastRowID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// A query of a single number.
    func number(_ sql: String) throws(StoreError) -> Int64? {
        let statement = try prepare(sql)
        return try statement.step() ? statement.integer(0) : nil
    }

    /// Makes the SQL function `path_matches(bytes, which)`, which tries the glob with the number `which`.
    func useGlobs(_ globs: GlobTable) throws(StoreError) {
        let code = sqlite3_create_function_v2(
            handle, "path_matches", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, Unmanaged.passRetained(globs).toOpaque(),
            { context, _, values in
                let globs = Unmanaged<GlobTable>.fromOpaque(sqlite3_user_data(context)).takeUnretainedValue()
                let bytes = UnsafeRawBufferPointer(
                    start: sqlite3_value_blob(values![0]), count: Int(sqlite3_value_bytes(values![0])))
                let which = Int(sqlite3_value_int64(values![1]))
                sqlite3_result_int(context, globs.tests[which](bytes) ? 1 : 0)
            }, nil, nil, { Unmanaged<GlobTable>.fromOpaque($0!).release() })
        try require(code, "create function")
    }

    fileprivate func require(_ code: Int32, _ call: String) throws(StoreError) {
        guard code != SQLITE_OK, code != SQLITE_DONE, code != SQLITE_ROW else { return }
        throw .database(call: call, object: path, code: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}

/// The tests that a query's `path_matches` calls by number.
final class GlobTable {
    let tests: [(UnsafeRawBufferPointer) -> Bool]
    init(_ tests: [(UnsafeRawBufferPointer) -> Bool]) { self.tests = tests }
}

/// A prepared statement. Parameters count from 1, columns from 0, as in SQLite.
final class Statement {
    private let handle: OpaquePointer
    private let database: Database
    private let sql: String

    fileprivate init(_ database: Database, _ sql: String) throws(StoreError) {
        var handle: OpaquePointer?
        try database.require(
            sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil), sql)
        self.handle = handle!
        self.database = database
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }
    func bind(_ index: Int32, _ value: Int) { bind(index, Int64(value)) }
    /// Times and inodes above 2^63 come back as they were: the sign is only SQLite's.
    func bind(_ index: Int32, _ value: UInt64) { bind(index, Int64(bitPattern: value)) }
    func bindNull(_ index: Int32) { sqlite3_bind_null(handle, index) }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { bindNull(index) }
    }

    /// Zero stands for "does not apply" in the journal and is NULL in the database.
    func bind(_ index: Int32, nonZero value: UInt64) {
        if value == 0 { bindNull(index) } else { bind(index, value) }
    }

    /// Not copied: `bytes` must live until the next `run` or `step`.
    func bind(_ index: Int32, uncopied bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            sqlite3_bind_blob(handle, index, bytes.baseAddress, Int32(bytes.count), nil)
        }
    }

    func bind(_ index: Int32, _ bytes: [UInt8]) {
        // SQLITE_TRANSIENT: SQLite makes its own copy.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        bytes.withUnsafeBytes { _ = sqlite3_bind_blob(handle, index, $0.baseAddress, Int32($0.count), transient) }
    }

    func bind(_ index: Int32, _ text: String?) {
        guard let text else { return bindNull(index) }
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        sqlite3_bind_text(handle, index, text, Int32(text.utf8.count), transient)
    }

    /// Executes a statement that gives no rows, and makes it ready for the next.
    func run() throws(StoreError) {
        let code = sqlite3_step(handle)
        // The step's error is in the connection until the reset repeats it.
        defer { sqlite3_reset(handle) }
        try database.require(code, sql)
    }

    /// True while there is a row.
    func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        defer { sqlite3_reset(handle) }
        try database.require(code, sql)
        return false
    }

    func reset() { sqlite3_reset(handle) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func unsigned(_ column: Int32) -> UInt64 { UInt64(bitPattern: integer(column)) }
    func optional(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    func bytes(_ column: Int32) -> [UInt8]? {
        if isNull(column) { return nil }
        let start = sqlite3_column_blob(handle, column)
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func text(_ column: Int32) -> String? { bytes(column).map { String(decoding: $0, as: UTF8.self) } }
}
