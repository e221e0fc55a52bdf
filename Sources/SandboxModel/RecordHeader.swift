/// What a record of the journal is about.
package enum RecordKind: UInt8, Sendable {
    /// A judged operation (`operation`, `decision`, `rule`; the resource is what it touched).
    case event = 1
    /// The result of an earlier event that was still open when it was written: `subject` is its `seq`.
    case outcome
    /// A process came to be: `process` is its serial, `subject` its parent's serial, `detail` its start time
    /// in clock ticks since boot (proc(5), field 22).
    case processStart
    /// A process ended: `result` is its wait(2) status.
    case processExit
    /// The program that now runs in `process`; the resource is its path, the extra its arguments, each ended by a NUL.
    case program
    /// A row of the rule table: `rule` is the id, the resource its name, the extra its reason.
    case rule
    /// A line of the supervisor's own: the resource is the text.
    case note
    /// From the program on that now runs in `process`, it and all it starts are a sub-agent: the resource is its name.
    case subagent
    /// A `Judgement`, encoded, as the extra. Events that have it name this record's number as their `subject`.
    case judgement
    /// A step of a question that was put to people: the resource is its id, the extra what happened, as a JSON object.
    case approval
    /// A process has come to carry a class of data: the resource is the class, the extra how it came there, one line a step. With
    /// the decision to deny: it would have, and `rule` refused the call.
    case carried
    /// What a TCP connection of `process` has carried, once it is gone: `subject` is how many bytes were sent, `detail` how many were
    /// received; the resource is its address, the extra the classes of data that the process carried, separated by commas.
    case traffic
}

/// What kind of thing `resource` names.
package enum ResourceType: UInt8, Sendable {
    case none = 0, file, program, socket, process, name
    /// A file, a pipe or a socket that a program found at its standard streams when it began: nothing was called, and nothing judged.
    case stream

    package var name: String {
        switch self {
        case .none: "none"
        case .file: "file"
        case .program: "program"
        case .socket: "socket"
        case .process: "process"
        case .name: "name"
        case .stream: "stream"
        }
    }
}

package struct RecordFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The decision was carried out (absent: observe mode).
    package static let enforced = RecordFlags(rawValue: 1 << 0)
    /// Taken from a look that a racing thread could have fooled (observe mode).
    package static let looked = RecordFlags(rawValue: 1 << 1)
    /// The resource or the extra was cut to fit.
    package static let truncated = RecordFlags(rawValue: 1 << 2)
    /// The extra holds a second path: the target of a rename or link.
    package static let secondPath = RecordFlags(rawValue: 1 << 3)
    /// A program start: this session wrote or named the file, or one of the scripts that led to it.
    package static let written = RecordFlags(rawValue: 1 << 4)
    /// A program start: from a file without a name, so from memory.
    package static let memory = RecordFlags(rawValue: 1 << 5)
    /// A FIFO: what comes out of it was put in after it had been opened.
    package static let fifo = RecordFlags(rawValue: 1 << 6)
}

/// The fixed part of a journal record; the resource's bytes and the extra's bytes follow it.
/// A plain value, so that a hot path can fill it without allocation.
package struct RecordHeader: Sendable {
    package var kind: RecordKind
    package var operation: Operation
    package var decision: Decision
    package var flags: RecordFlags
    package var resourceType: ResourceType
    package var access: FileAccess
    package var rule: RuleID
    /// Serial of the process within its session, from 1; 0 is the supervisor itself.
    package var process: UInt32
    package var pid: Int32
    package var tid: Int32
    /// What the call returned: ≥ 0, or `-errno`; `pending` while it is not known.
    package var result: Int32
    /// Number within the session, from 1, given by the journal on append.
    package var seq: UInt64 = 0
    /// Nanoseconds since 1970 UTC, `CLOCK_REALTIME`.
    package var time: UInt64
    package var device: UInt64 = 0
    package var inode: UInt64 = 0
    package var subject: UInt64 = 0
    package var detail: UInt64 = 0

    package static let pending = Int32.min
    /// Never known: the call was let go on in the kernel and nobody looks at its end. Unlike `pending`, such
    /// records are merged as soon as they are read.
    package static let unknown = Int32.min + 1

    package init(
        kind: RecordKind, operation: Operation = .other, decision: Decision = .allow, flags: RecordFlags = [],
        resourceType: ResourceType = .none, access: FileAccess = [], rule: RuleID = .none, process: UInt32 = 0,
        pid: Int32 = 0, tid: Int32 = 0, result: Int32 = RecordHeader.pending, time: UInt64
    ) {
        self.kind = kind
        self.operation = operation
        self.decision = decision
        self.flags = flags
        self.resourceType = resourceType
        self.access = access
        self.rule = rule
        self.process = process
        self.pid = pid
        self.tid = tid
        self.result = result
        self.time = time
    }
}
