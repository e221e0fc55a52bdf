internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// Who did it: what the trail knows of the processes of sessions, as rules ask for it.
final class RecordedProcesses {
    private let history: TrailHistory
    private var images: [[RecordedImage]]?
    private var programs: [Int64: [UInt8]] = [:]
    private var arguments: [Int64: [[UInt8]]?] = [:]
    private var session = -1
    private var parents: [UInt32: UInt32] = [:]
    private var tracks = false
    /// Of the session at hand, by process: what ran in it, in order.
    private var ran: [UInt32: [RecordedImage]] = [:]
    private var byID: [Int64: RecordedImage] = [:]
    private struct Running: Hashable {
        let process: UInt32
        let image: Int64
    }
    private var ancestry: [Running: (parent: [UInt8]?, lineage: [[UInt8]])] = [:]

    init(_ history: TrailHistory) { self.history = history }

    func add(to facts: inout Facts, _ row: RecordedAccess, _ policy: Policy) throws(StoreError) {
        try open(row.session)
        let info = history.sessions[row.session].info
        facts.identity = info.identity
        (facts.groups, facts.roles, facts.purpose) = (info.groups, info.roles, info.purpose)
        facts.mode = .enforce
        facts.time = row.last
        facts.timeOfDay = UInt32(row.last / 1_000_000_000 % 86_400)
        if facts.operation != .exec { try addProgram(to: &facts, row) }
        (facts.parent, facts.lineage) = try ancestry(row)
        guard policy.asksWhatIsCarried else { return }
        if let carries = try history.judgement(of: row)?.carries {
            for name in carries { if let i = policy.dataClasses.firstIndex(of: name) { facts.carries |= 1 << UInt64(i) } }
        }
        // A session that did not ask does not know.
        if !tracks { facts.unknown.insert(.carries) }
    }

    /// What a start's row does not tell: arguments that were cut, and the variables that a client goes by.
    static func note(_ row: RecordedAccess, _ facts: inout Facts) {
        if row.flags.contains(.truncated) { facts.unknown.formUnion([.arguments, .intents]) }
        if row.flags.contains(.memory) {
            facts.intents.insert(.procExecMemory)
        } else if row.flags.contains(.written) {
            facts.intents.insert(.procExecWritten)
        }
        facts.isWritten = row.flags.contains(.written)
        guard !facts.intents.isDisjoint(with: sql) else { return }
        if facts.database == nil { facts.unknown.insert(.database) }
        if facts.destinations.isEmpty { facts.unknown.formUnion([.host, .port]) }
    }

    private static let sql: IntentSet = [
        .sqlSelect, .sqlInsert, .sqlUpdate, .sqlUpdateAll, .sqlDelete, .sqlDeleteAll, .sqlTruncate, .sqlDrop, .sqlAlter, .sqlCreate,
        .sqlGrant,
        .sqlCopyOut, .sqlCopyProgram, .sqlCall, .sqlUnknown,
    ]

    // MARK: Programs

    private func open(_ number: Int) throws(StoreError) {
        if session == number { return }
        let all: [[RecordedImage]]
        if let images { all = images } else { all = try history.allImages() }
        images = all
        session = number
        ran = Dictionary(grouping: all[number], by: \.process)
        byID = Dictionary(all[number].map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        ancestry.removeAll(keepingCapacity: true)
        parents = try history.parents(of: number)
        tracks = try history.tracksCarrying(number)
    }

    private func addProgram(to facts: inout Facts, _ row: RecordedAccess) throws(StoreError) {
        guard let image = byID[row.image] else {
            facts.unknown.formUnion([.program, .arguments])
            return
        }
        facts.program = try path(image.program)
        facts.invoked = facts.program
        if arguments[image.id] == nil { arguments[image.id] = .some(try history.arguments(ofImage: image.id)) }
        facts.arguments = arguments[image.id] ?? nil
        if facts.arguments == nil { facts.unknown.insert(.arguments) }
    }

    private func path(_ text: Int64) throws(StoreError) -> [UInt8] {
        if let known = programs[text] { return known }
        let found = try history.text(text)
        programs[text] = found
        return found
    }

    private func ancestry(_ row: RecordedAccess) throws(StoreError) -> (parent: [UInt8]?, lineage: [[UInt8]]) {
        let running = Running(process: row.process, image: row.operation == .exec ? -Int64(row.seq) : row.image)
        if let known = ancestry[running] { return known }
        var parent: [UInt8]?
        if let serial = parents[row.process] { parent = try program(of: serial, at: row.seq) }
        let found = (parent: parent, lineage: try lineage(row))
        ancestry[running] = found
        return found
    }

    private func program(of process: UInt32, at seq: UInt64) throws(StoreError) -> [UInt8]? {
        var process = process
        while true {
            if let image = ran[process]?.last(where: { $0.seq <= seq }) { return try path(image.program) }
            guard let parent = parents[process], parent < process else { return nil }
            process = parent
        }
    }

    /// All that it and its ancestors had run by then; what an ancestor ran after it had started this one counts as well.
    private func lineage(_ row: RecordedAccess) throws(StoreError) -> [[UInt8]] {
        var found: [[UInt8]] = [], process = row.process
        while true {
            for image in ran[process] ?? [] where image.seq < row.seq {
                let program = try path(image.program)
                if !found.contains(program) { found.append(program) }
            }
            guard let parent = parents[process], parent < process else { return found }
            process = parent
        }
    }
}
