/// A process of one session: the session's number and the process's serial in it.
package struct ProcessID: Hashable, Comparable, Sendable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package init(session: Int64, serial: UInt32) { rawValue = session << 32 | Int64(serial) }
    package var session: Int64 { rawValue >> 32 }
    package var serial: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    package static func < (a: ProcessID, b: ProcessID) -> Bool { a.rawValue < b.rawValue }
}

/// A file or a socket, whatever it is called at the moment.
package struct ObjectID: Hashable, Comparable, Sendable {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }
    package static func < (a: ObjectID, b: ObjectID) -> Bool { a.rawValue < b.rawValue }
}

package enum NodeID: Hashable, Sendable {
    case process(ProcessID)
    case object(ObjectID)
}

package enum ObjectKind: UInt8, Sendable {
    case file = 1
    case socket
    /// Devices, procfs, sysfs: who reads there gets nothing of what others wrote there.
    case system
    /// A pipe or an end of a pair of sockets, of one session.
    case pipe
}

/// What a process had to do with an object.
package struct Relations: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package static let read = Relations(rawValue: 1 << 0)
    package static let ran = Relations(rawValue: 1 << 1)
    package static let wrote = Relations(rawValue: 1 << 2)
    package static let created = Relations(rawValue: 1 << 3)
    package static let deleted = Relations(rawValue: 1 << 4)
    package static let renamed = Relations(rawValue: 1 << 5)
    package static let linked = Relations(rawValue: 1 << 6)
    package static let connected = Relations(rawValue: 1 << 7)
    package static let bound = Relations(rawValue: 1 << 8)
    package static let accepted = Relations(rawValue: 1 << 9)
    package static let sent = Relations(rawValue: 1 << 10)
    /// It was not opened by the process: it was there when a program began.
    package static let held = Relations(rawValue: 1 << 11)
    /// The object is a FIFO: what was read was written after it had been opened.
    package static let fifo = Relations(rawValue: 1 << 12)

    /// What lets data into a process. A connection goes both ways.
    package static let inward: Relations = [.read, .ran, .connected, .bound, .accepted]
    package static let outward: Relations = [.wrote, .created, .connected, .bound, .accepted, .sent]
    package static let serving: Relations = [.bound, .accepted]

    private static let all: [(Relations, String)] = [
        (.read, "read"), (.ran, "ran"), (.wrote, "wrote"), (.created, "created"), (.deleted, "deleted"), (.renamed, "renamed"),
        (.linked, "linked"), (.connected, "connected"), (.bound, "bound"), (.accepted, "accepted"), (.sent, "sent"), (.held, "held"),
    ]
    package var names: [String] { Relations.all.filter { contains($0.0) }.map(\.1) }
}

/// Repeats of one access are one edge.
package struct Edge: Hashable, Sendable {
    package var process: ProcessID
    package var object: ObjectID
    package var relations: Relations
    package var first: UInt64
    package var last: UInt64
    package var count: UInt64

    package init(process: ProcessID, object: ObjectID, relations: Relations, first: UInt64, last: UInt64, count: UInt64 = 1) {
        self.process = process
        self.object = object
        self.relations = relations
        self.first = first
        self.last = last
        self.count = count
    }
}

/// What there is at a node, or the latest of it.
package struct Edges: Sendable {
    package var edges: [Edge] = []
    /// So many are there besides, or more than that where nobody has counted on.
    package var more = 0
    package var isCounted = true
    package init() {}
}

/// Where the graph lies. Times are nanoseconds since 1970.
package protocol GraphSource {
    associatedtype Failure: Error
    /// The edges with any of `relations`, at most `limit`, those of the latest processes.
    func edges(of object: ObjectID, _ relations: Relations, limit: Int) throws(Failure) -> Edges
    func edges(of process: ProcessID, _ relations: Relations, limit: Int) throws(Failure) -> Edges
    /// Nil for what is not to be looked at.
    func process(_ id: ProcessID) throws(Failure) -> ProcessLife?
    func children(of process: ProcessID, limit: Int) throws(Failure) -> [ProcessLife]
    func kind(of object: ObjectID) throws(Failure) -> ObjectKind
}

package struct ProcessLife: Sendable {
    package var id: ProcessID
    package var parent: ProcessID?
    package var started: UInt64
    package var ended: UInt64?
    /// It has become a program of its own since it was forked.
    package var hasRun: Bool

    package init(id: ProcessID, parent: ProcessID?, started: UInt64, ended: UInt64?, hasRun: Bool) {
        self.id = id
        self.parent = parent
        self.started = started
        self.ended = ended
        self.hasRun = hasRun
    }
}
