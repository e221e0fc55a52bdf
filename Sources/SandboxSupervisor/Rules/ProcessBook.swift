internal import SandboxModel
internal import Synchronization

/// What rules may ask about a process: which program it runs, how that was asked for, and what ran before.
final class ProcessFacts: Sendable {
    let program: [UInt8]?
    let invoked: [UInt8]?
    let isWritten: Bool
    let arguments: [[UInt8]]?
    /// The parent's program.
    let parent: [UInt8]?
    /// Every program that it and its ancestors have run, each once.
    let lineage: [[UInt8]]
    /// The serial of the process that the session's first one started and from which this one descends; 0: the first itself.
    let subtree: UInt32

    init(
        program: [UInt8]? = nil, invoked: [UInt8]? = nil, isWritten: Bool = false, arguments: [[UInt8]]? = nil, parent: [UInt8]? = nil,
        lineage: [[UInt8]] = [], subtree: UInt32 = 0
    ) {
        self.program = program
        self.invoked = invoked
        self.isWritten = isWritten
        self.arguments = arguments
        self.parent = parent
        self.lineage = lineage
        self.subtree = subtree
    }
}

/// The processes of a session that has rules, by their serials. Written by the tracer while the process concerned stands still.
final class ProcessBook: Sendable {
    private let known = Mutex<[UInt32: ProcessFacts]>([:])

    func of(_ serial: UInt32) -> ProcessFacts? { known.withLock { $0[serial] } }

    /// It runs what its parent runs. The first of all has none.
    func started(_ serial: UInt32, parent: UInt32) {
        known.withLock { known in
            let p = known[parent]
            let subtree = p.map { $0.subtree == 0 ? serial : $0.subtree } ?? 0
            known[serial] = ProcessFacts(
                program: p?.program, invoked: p?.invoked, isWritten: p?.isWritten ?? false, arguments: p?.arguments, parent: p?.program,
                lineage: p?.lineage ?? [], subtree: subtree)
        }
    }

    func became(_ serial: UInt32, _ facts: ProcessFacts) { known.withLock { $0[serial] = facts } }

    func ended(_ serial: UInt32) { known.withLock { _ = $0.removeValue(forKey: serial) } }
}
