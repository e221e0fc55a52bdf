internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy

/// What people are shown of an operation that they are to approve.
struct Shown {
    private let operation: Operation
    private let access: FileAccess
    private let resource: [UInt8]
    private let target: [UInt8]?
    private let arguments: [[UInt8]]?
    let key: String

    init(_ work: FileWork, _ finding: Judged, _ supervision: Supervision) {
        let target = work.hasSecond ? Array(work.second.path.text) : nil
        self.init(
            work.operation, work.hasSecond ? work.first.access.union(work.second.access) : work.first.access,
            Array(work.first.path.text), target, nil, finding, supervision)
    }

    init(_ work: SocketWork, _ finding: Judged, _ supervision: Supervision) {
        self.init(work.operation, [], supervision.withEndpointName(work) { Array($0) }, nil, nil, finding, supervision)
    }

    /// `texts`: what stands for what is in no argument. An answer for longer is about the same texts.
    init(program: [UInt8], _ arguments: [[UInt8]], _ finding: Judged, _ supervision: Supervision, texts: [UInt8]? = nil) {
        self.init(.exec, .execute, program, nil, arguments, finding, supervision, more: texts ?? [])
    }

    /// `text`: what stands for the SQL, which is in no argument.
    init(query client: Client, _ finding: Judged, _ supervision: Supervision, text: String) {
        self.init(.query, .execute, client.program, Array(text.utf8), client.arguments, finding, supervision)
    }

    private init(
        _ operation: Operation, _ access: FileAccess, _ resource: [UInt8], _ target: [UInt8]?, _ arguments: [[UInt8]]?,
        _ finding: Judged, _ supervision: Supervision, more: [UInt8] = []
    ) {
        self.operation = operation
        self.access = access
        self.resource = resource
        self.target = target
        key = finding.key(
            operation, supervision.policy,
            shown: [Array(access.names.joined(separator: "+").utf8), resource, target ?? [], more] + (arguments ?? []))
        self.arguments = arguments.map(supervision.policy.audit.shown)
    }

    /// Nobody is asked about what he sees a part of.
    var isTooLong: Bool { (arguments ?? []).reduce(0) { $0 + $1.count + 1 } > 10_000 }

    /// The fields of a JSON object.
    func json(_ id: String, _ finding: Judged, _ terms: AskTerms, _ caller: Caller, _ now: UInt64, _ s: Supervision) -> String {
        func list(_ texts: [String]) -> String { "[" + texts.map { Escaped.json($0) }.joined(separator: ",") + "]" }
        var fields = [
            #""approval":"\#(id)""#, #""session":\#(Escaped.json(s.info.id))"#, #""asked":"\#(Timestamp.text(now))""#,
            #""expires":"\#(Timestamp.text(now &+ terms.timeout))""#, #""identity":\#(Escaped.json(s.info.identity))"#,
        ]
        if let other = s.info.onBehalfOf { fields.append(#""on_behalf_of":\#(Escaped.json(other))"#) }
        if let purpose = s.info.purpose { fields.append(#""purpose":\#(Escaped.json(purpose))"#) }
        fields.append(#""profile":\#(Escaped.json(s.info.profile)),"pid":\#(caller.pid),"operation":"\#(operation.name)""#)
        if operation != .exec, let program = s.book.of(caller.serial)?.program { fields.append(#""program":\#(Escaped.json(program))"#) }
        if operation != .exec, !access.names.isEmpty { fields.append(#""access":\#(list(access.names))"#) }
        fields.append(#""resource":\#(Escaped.json(resource))"#)
        if let target { fields.append(#""to":\#(Escaped.json(target))"#) }
        if let arguments { fields.append(#""args":[\#(arguments.map { Escaped.json($0) }.joined(separator: ","))]"#) }
        fields.append(#""intents":\#(list(finding.intents.names)),"rules":\#(list(finding.judgementRules.map { s.policy.rule($0).name }))"#)
        fields.append(#""reason":\#(Escaped.json(s.policy.rule(finding.ruling.rule).reason))"#)
        fields.append(#""approvers":[\#(terms.approvers.map { list($0) }.joined(separator: ","))],"approvals":\#(terms.approvals)"#)
        fields.append(#""scopes":\#(list(terms.scopes.map(\.rawValue).sorted()))"#)
        return fields.joined(separator: ",")
    }

    /// For people, one line and the rule. Escaped.
    func text(_ id: String, _ finding: Judged, _ s: Supervision) -> String {
        var what = arguments.map { Escaped.commandLine($0) } ?? Escaped.text(resource)
        if let target { what += " -> " + Escaped.text(target) }
        let rule = s.policy.rule(finding.ruling.rule)
        return "\(operation.name) \(what)\n  rule \(Escaped.text(rule.name)): \(Escaped.text(rule.reason))"
    }
}
