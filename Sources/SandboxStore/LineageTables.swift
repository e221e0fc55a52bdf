/// The graph beside the events: what a question over many sessions would otherwise have to gather from all of them.
///
/// It is made of the events of a session, once that has ended and nobody waits (`LineageIngest`), and can be made again at
/// any time. Edges lie by process, so that those of a session are written in a row, and are found by object as well. In both
/// orders the relation comes before the other end: the one that made a file is found without going through those who read it,
/// who may be millions.
enum LineageTables {
    static func prepare(_ database: Database) throws(StoreError) {
        if try exist(database) { return try database.execute(progress) }
        // An older layout of it, by the same names.
        let names = ["object", "name", "edge", "session", "progress"]
        try database.execute(names.map { "DROP TABLE IF EXISTS lineage_\($0);" }.joined() + tables + ";" + progress)
    }

    static func exist(_ database: Database) throws(StoreError) -> Bool {
        try database.number("SELECT count(*) FROM sqlite_master WHERE name = 'lineage_child'") == 1
    }

    static func knowProgress(_ database: Database) throws(StoreError) -> Bool {
        try database.number("SELECT count(*) FROM sqlite_master WHERE name = 'lineage_progress'") == 1
    }

    /// How far a session is that is being put in: its last event that is there, and its first object.
    private static let progress = """
        CREATE TABLE IF NOT EXISTS lineage_progress (session INTEGER PRIMARY KEY, event INTEGER NOT NULL, object INTEGER NOT NULL)
        """

    private static let tables = """
        CREATE TABLE lineage_object (
            id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name INTEGER NOT NULL REFERENCES text, names INTEGER NOT NULL,
            device INTEGER, inode INTEGER, born INTEGER, ended INTEGER);
        CREATE INDEX lineage_inode ON lineage_object (inode) WHERE inode IS NOT NULL AND ended IS NULL;
        -- The hash is of the kind and the bytes. An object keeps the names that it has lost (`lives` is then 0).
        CREATE TABLE lineage_name (
            hash INTEGER NOT NULL, lives INTEGER NOT NULL, object INTEGER NOT NULL, text INTEGER NOT NULL REFERENCES text,
            PRIMARY KEY (hash, lives, object)) WITHOUT ROWID;
        -- span: from the first time to the last; both it and a count of one take no room.
        CREATE TABLE lineage_edge (
            process INTEGER NOT NULL REFERENCES process, relations INTEGER NOT NULL, object INTEGER NOT NULL,
            first INTEGER NOT NULL, span INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (process, relations, object)) WITHOUT ROWID;
        CREATE INDEX lineage_use ON lineage_edge (object, relations, process);
        CREATE TABLE lineage_child (
            parent INTEGER NOT NULL REFERENCES process, process INTEGER NOT NULL REFERENCES process,
            PRIMARY KEY (parent, process)) WITHOUT ROWID;
        CREATE TABLE lineage_session (session INTEGER PRIMARY KEY);
        """
}
