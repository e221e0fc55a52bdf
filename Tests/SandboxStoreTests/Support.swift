import Glibc
import SandboxFiles
import SandboxModel
@testable import SandboxStore

/// A state directory of its own, removed with the value.
final class TemporaryState: Sendable {
    let state: StateDirectory

    init() throws {
        var template = Array("/tmp/sandbox-store-XXXXXX".utf8CString)
        let path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        state = try StateDirectory(path + "/state")
    }

    deinit {
        let root = String(state.path.dropLast("/state".count))
        removeTree(root)
    }
}

private func removeTree(_ path: String) {
    if let directory = opendir(path) {
        while let entry = readdir(directory) {
            let name = DirectoryEntry.name(entry)
            if name != ".", name != ".." { removeTree(path + "/" + name) }
        }
        closedir(directory)
        rmdir(path)
    } else {
        unlink(path)
    }
}

let baseTime: UInt64 = 1_763_632_800_000_000_000  // 2025-11-20T10:00:00Z

func sessionInfo(_ id: String = "s-01JABCDEF", identity: String = "agent:builder", name: String? = nil) -> SessionInfo {
    SessionInfo(
        id: id, name: name, identity: identity, onBehalfOf: "user:alice", purpose: "nightly build",
        profile: "coding-agent", mode: "enforce", workspace: "/w", command: ["make", "-j4", "all"], host: "build-7",
        user: 1000, supervisor: 4000, started: baseTime)
}

func newJournal(
    _ state: StateDirectory, _ info: SessionInfo = sessionInfo(), segmentSize: Int = 4 << 20
) throws -> Journal {
    try Journal(directory: try SessionDirectory.create(info, in: state), session: info, segmentSize: segmentSize)
}

/// The header of an access, `second` seconds into the session.
func access(
    _ operation: Operation = .open, process: UInt32 = 1, decision: Decision = .allow, access: FileAccess = .read,
    rule: RuleID = .none, type: ResourceType = .file, result: Int32 = 3, second: UInt64 = 1,
    flags: RecordFlags = .enforced
) -> RecordHeader {
    RecordHeader(
        kind: .event, operation: operation, decision: decision, flags: flags, resourceType: type, access: access,
        rule: rule, process: process, pid: 4240 + Int32(process), tid: 4240 + Int32(process), result: result,
        time: baseTime + second * 1_000_000_000)
}

extension Journal {
    @discardableResult
    func append(_ header: RecordHeader, _ resource: String, extra: String = "") throws -> RecordRef {
        try append(header, resource: Array(resource.utf8), extra: Array(extra.utf8))
    }

    func startProcess(_ serial: UInt32, parent: UInt32, second: UInt64 = 0) throws {
        var header = RecordHeader(
            kind: .processStart, process: serial, pid: 4240 + Int32(serial), time: baseTime + second * 1_000_000_000)
        header.subject = UInt64(parent)
        header.detail = 777
        try append(header)
    }

    func setProgram(_ serial: UInt32, _ path: String, _ arguments: [String]) throws {
        let header = RecordHeader(kind: .program, process: serial, time: baseTime)
        try append(header, path, extra: arguments.map { $0 + "\0" }.joined())
    }

    func endProcess(_ serial: UInt32, status: Int32, second: UInt64 = 9) throws {
        try append(
            RecordHeader(kind: .processExit, process: serial, result: status, time: baseTime + second * 1_000_000_000))
    }

    func setRule(_ id: UInt16, _ name: String, _ reason: String) throws {
        try append(RecordHeader(kind: .rule, rule: RuleID(rawValue: id), time: baseTime), name, extra: reason)
    }
}

func allEvents(_ state: StateDirectory, _ filter: EventFilter = EventFilter()) throws -> [TrailEvent] {
    guard let reader = try TrailReader(state) else { return [] }
    var events: [TrailEvent] = []
    try reader.events(filter) { events.append($0) }
    return events
}

func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

/// Runs `body` on so many threads at once and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Job: Sendable {
        let index: Int
        let body: @Sendable (Int) -> Void
        init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.index = index
            self.body = body
        }
    }
    let threads = (0..<count).map { index in
        var id = pthread_t()
        let job = Unmanaged.passRetained(Job(index, body)).toOpaque()
        pthread_create(
            &id, nil,
            { context in
                let job = Unmanaged<Job>.fromOpaque(context!).takeRetainedValue()
                job.body(job.index)
                return nil
            }, job)
        return id
    }
    for id in threads { pthread_join(id, nil) }
}
