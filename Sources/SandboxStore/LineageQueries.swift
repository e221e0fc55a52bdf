/// What the graph is asked. Each question goes straight to its rows by an index, and stops at the first that is not wanted.
enum LineageQueries {
    /// ?1: a node, ?2: relations, ?3: the other end from which to go down, ?4: how many.
    static let ofProcess = """
        SELECT \(columns) FROM lineage_edge WHERE process = ?1 AND relations = ?2 AND object <= ?3 ORDER BY object DESC LIMIT ?4
        """
    static let ofObject = """
        SELECT \(columns) FROM lineage_edge INDEXED BY lineage_use WHERE object = ?1 AND relations = ?2 AND process <= ?3
        ORDER BY process DESC LIMIT ?4
        """
    /// What kinds of edges a node has, one after the other: few, so that it takes a few steps.
    static let relationsOfProcess =
        "SELECT relations FROM lineage_edge WHERE process = ?1 AND relations > ?2 ORDER BY relations LIMIT 1"
    static let relationsOfObject = """
        SELECT relations FROM lineage_edge INDEXED BY lineage_use WHERE object = ?1 AND relations > ?2 ORDER BY relations LIMIT 1
        """
    /// Who is there besides: the index alone answers.
    static let othersOfProcess = """
        SELECT process, object FROM lineage_edge WHERE process = ?1 AND relations = ?2 AND object <= ?3 ORDER BY object DESC LIMIT ?4
        """
    static let othersOfObject = """
        SELECT process, object FROM lineage_edge INDEXED BY lineage_use WHERE object = ?1 AND relations = ?2 AND process <= ?3
        ORDER BY process DESC LIMIT ?4
        """
    static let life = """
        SELECT p.id, p.parent, p.started, p.ended, i.process FROM process p LEFT JOIN image i ON i.id = p.image WHERE p.id = ?
        """
    static let children = """
        SELECT p.id, p.parent, p.started, p.ended, i.process FROM lineage_child c JOIN process p ON p.id = c.process
        LEFT JOIN image i ON i.id = p.image WHERE c.parent = ?1 ORDER BY c.process LIMIT ?2
        """
    static let kind = "SELECT kind FROM lineage_object WHERE id = ?"
    static let object = """
        SELECT o.kind, t.bytes, o.names, o.device, o.inode, o.born, o.ended FROM lineage_object o JOIN text t ON t.id = o.name
        WHERE o.id = ?
        """
    static let process = """
        SELECT p.pid, p.started, p.ended, p.status, t.bytes, i.args FROM process p LEFT JOIN image i ON i.id = p.image
        LEFT JOIN text t ON t.id = i.program WHERE p.id = ?
        """
    static let named = """
        SELECT n.object FROM lineage_name n JOIN text t ON t.id = n.text WHERE n.hash = ?1 AND t.bytes = ?2 AND n.lives = ?3
        ORDER BY n.object DESC LIMIT 1
        """
    static let all = [
        ofProcess, ofObject, relationsOfProcess, relationsOfObject, othersOfProcess, othersOfObject, life, children, kind, object, process,
        named,
    ]

    private static let columns = "process, object, relations, first, span, count"
}
