internal import SandboxModel

/// The trail as JSON, one object a line, with the field names of the contract; a field that does not apply is
/// absent. `enforced` is there only where it is false, `count` and `last` only where an access was repeated.
///
/// Bytes that are not UTF-8 are written `\xNN`, and beside the field stands another, `…_base64`, with the whole
/// of it: `name_base64` is a string, `args_base64` a list like `args`.
package enum EventJSON {
    package static func line(_ event: TrailEvent) -> String {
        var object = JSONObject()
        object.put("seq", event.seq)
        object.put("time", Timestamp.text(event.first))
        object.put("session", event.session.info.id)
        object.put("identity", event.session.info.identity)
        object.put("on_behalf_of", event.session.info.onBehalfOf)
        object.put("subagent", event.process.subagent)
        object.put("purpose", event.session.info.purpose)
        object.put("process", raw: process(event.process))
        object.put("operation", event.operation.name)
        if !event.access.isEmpty { object.put("access", raw: list(event.access.names.map { Escaped.json($0) })) }
        object.put("resource", raw: resource(event))
        let intents = intents(event)
        if !intents.isEmpty { object.put("intents", raw: list(intents.names.map { Escaped.json($0) })) }
        let carries = event.judgement?.carries ?? []
        if !carries.isEmpty { object.put("carries", raw: list(carries.map { Escaped.json($0) })) }
        object.put("decision", event.decision.name)
        if !event.flags.contains(.enforced) { object.put("enforced", raw: "false") }
        if event.flags.contains(.looked) { object.put("looked", raw: "true") }
        if event.flags.contains(.truncated) { object.put("truncated", raw: "true") }
        if let rule = event.rule {
            object.put("rules", raw: list(([rule.name] + event.otherRules).map { Escaped.json($0) }))
            if !rule.reason.isEmpty { object.put("reason", rule.reason) }
        }
        object.put("note", event.judgement?.note)
        if let rewritten = event.judgement?.rewritten { object.put("rewritten", bytes: rewritten) }
        object.put("approval", event.judgement?.approval)
        if let answer = event.answer { object.put("answer", raw: answer.json) }
        if let result = event.result {
            let outcome = result < 0 ? "\"error\":\"\(ErrorNumber.name(0 &- result))\"" : "\"result\":\(result)"
            object.put("outcome", raw: "{\(outcome)}")
        }
        if let shadow = event.judgement?.shadow {
            let rules = shadow.rules.isEmpty ? "" : ",\"rules\":" + list(shadow.rules.map { Escaped.json($0) })
            object.put("shadow", raw: "{\"decision\":\"\(shadow.decision.name)\"\(rules)}")
        }
        if event.count > 1 {
            object.put("count", event.count)
            object.put("last", Timestamp.text(event.last))
        }
        return object.text
    }

    package static func line(_ session: SessionRow) -> String {
        sessionObject(session).text
    }

    /// `audit show --json`: the session's line, with what it did.
    package static func object(_ summary: SessionSummary) -> String {
        var object = sessionObject(summary.session)
        object.put("accesses", UInt64(summary.accesses))
        object.put("processes", raw: list(summary.processes.items.map(process)))
        object.put("process_count", UInt64(summary.processes.total))
        object.put("refused", raw: list(summary.refused.items.map(refusal)))
        object.put("refused_count", UInt64(summary.refused.total))
        object.put("changed", raw: list(summary.files.items.map(touched)))
        object.put("changed_count", UInt64(summary.files.total))
        object.put("reached", raw: list(summary.hosts.items.map(touched)))
        object.put("reached_count", UInt64(summary.hosts.total))
        if summary.differing > 0 {
            object.put("shadow", raw: list(summary.differences.items.map(difference)))
            object.put("shadow_count", UInt64(summary.differing))
        }
        if !summary.notes.isEmpty { object.put("notes", raw: list(summary.notes.map { Escaped.json($0) })) }
        return object.text
    }

    // MARK: Parts

    private static func sessionObject(_ session: SessionRow) -> JSONObject {
        let info = session.info
        var object = JSONObject()
        object.put("session", info.id)
        object.put("name", info.name)
        object.put("identity", info.identity)
        object.put("on_behalf_of", info.onBehalfOf)
        if !info.groups.isEmpty { object.put("groups", raw: list(info.groups.map { Escaped.json($0) })) }
        if !info.roles.isEmpty { object.put("roles", raw: list(info.roles.map { Escaped.json($0) })) }
        object.put("purpose", info.purpose)
        object.put("profile", info.profile)
        object.put("mode", info.mode)
        object.put("workspace", info.workspace)
        object.put("command", raw: list(info.command.map { Escaped.json($0) }))
        object.put("host", info.host)
        object.put("user", UInt64(info.user))
        object.put("started", Timestamp.text(info.started))
        if let ended = session.ended { object.put("ended", Timestamp.text(ended)) }
        putEnd(session.status, in: &object)
        if session.lost { object.put("lost", raw: "true") }
        if session.torn > 0 { object.put("torn", UInt64(session.torn)) }
        return object
    }

    private static func putEnd(_ status: Int32?, in object: inout JSONObject) {
        switch status.map(ProcessEnd.init) {
        case .exited(let code)?: object.put("exit", UInt64(code))
        case .signalled(let signal)?: object.put("signal", UInt64(signal))
        case nil: break
        }
    }

    private static func process(_ process: TrailEvent.Process) -> String {
        var object = JSONObject()
        object.put("pid", raw: String(process.pid))
        if let parent = process.parent { object.put("parent", raw: String(parent)) }
        if let started = process.started { object.put("started", Timestamp.text(started)) }
        if let program = process.program { object.put("program", bytes: program) }
        if let arguments = process.arguments { object.append(arguments.json) }
        return object.text
    }

    private static func process(_ process: SessionSummary.Process) -> String {
        var object = JSONObject()
        object.put("serial", UInt64(process.serial))
        if let parent = process.parent { object.put("parent_serial", UInt64(parent)) }
        object.put("pid", raw: String(process.pid))
        object.put("started", Timestamp.text(process.started))
        if let ended = process.ended { object.put("ended", Timestamp.text(ended)) }
        putEnd(process.status, in: &object)
        if !process.before.isEmpty { object.put("before", bytes: process.before) }
        if let program = process.program { object.put("program", bytes: program) }
        object.put("args", bytes: process.arguments)
        object.put("subagent", process.subagent)
        return object.text
    }

    private static func resource(_ event: TrailEvent) -> String? {
        guard let name = event.resource else { return nil }
        var object = JSONObject()
        object.put("type", event.resourceType.name)
        object.put("name", bytes: name)
        if let target = event.target { object.put("to", bytes: target) }
        if let host = event.host { object.put("host", bytes: host) }
        return object.text
    }

    /// What a program start is by itself, where no profile asked for more.
    private static func intents(_ event: TrailEvent) -> IntentSet {
        var set = event.judgement?.intents ?? []
        guard event.operation == .exec else { return set }
        set.insert(.procExec)
        if event.flags.contains(.written) { set.insert(.procExecWritten) }
        if event.flags.contains(.memory) { set.insert(.procExecMemory) }
        return set
    }

    private static func difference(_ difference: SessionSummary.Difference) -> String {
        var object = JSONObject()
        object.put("decision", difference.decision.name)
        object.put("shadow", difference.shadow.name)
        object.put("rules", raw: list(difference.rules.map { Escaped.json($0) }))
        object.put("operation", difference.operation.name)
        if let resource = difference.resource { object.put("name", bytes: resource) }
        object.put("count", UInt64(difference.count))
        return object.text
    }

    private static func refusal(_ refusal: SessionSummary.Refusal) -> String {
        var object = JSONObject()
        object.put("decision", refusal.decision.name)
        if !refusal.enforced { object.put("enforced", raw: "false") }
        object.put("operation", refusal.operation.name)
        if !refusal.access.isEmpty { object.put("access", raw: list(refusal.access.names.map { Escaped.json($0) })) }
        if let resource = refusal.resource { object.put("name", bytes: resource) }
        object.put("rule", refusal.rule?.name)
        object.put("reason", refusal.rule?.reason)
        if let answer = refusal.answer { object.put("answer", raw: answer.json) }
        object.put("count", UInt64(refusal.count))
        return object.text
    }

    private static func touched(_ touched: SessionSummary.Touched) -> String {
        var object = JSONObject()
        object.put("operation", touched.operation.name)
        object.put("name", bytes: touched.resource)
        if let target = touched.target { object.put("to", bytes: target) }
        object.put("count", UInt64(touched.count))
        return object.text
    }

    static func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }
}

/// A JSON object that is written field by field.
struct JSONObject {
    private(set) var fields = ""
    var text: String { "{" + fields + "}" }

    mutating func put(_ name: String, raw value: String?) {
        if let value { append("\"" + name + "\":" + value) }
    }

    mutating func append(_ more: String) {
        if !fields.isEmpty { fields += "," }
        fields += more
    }

    mutating func put(_ name: String, _ value: UInt64) { put(name, raw: String(value)) }
    mutating func put(_ name: String, _ value: String?) { put(name, raw: value.map { Escaped.json($0) }) }

    mutating func put(_ name: String, bytes: [UInt8]) {
        put(name, raw: Escaped.json(bytes))
        if !Escaped.isUTF8(bytes) { put(name + "_base64", Escaped.base64(bytes)) }
    }

    mutating func put(_ name: String, bytes list: [[UInt8]]) {
        put(name, raw: EventJSON.list(list.map { Escaped.json($0) }))
        if !list.allSatisfy(Escaped.isUTF8) {
            put(name + "_base64", raw: EventJSON.list(list.map { Escaped.json(Escaped.base64($0)) }))
        }
    }
}

/// How a process ended: a wait(2) status, taken apart.
package enum ProcessEnd: Sendable, Equatable {
    case exited(UInt8)
    case signalled(UInt8)

    package init(_ status: Int32) {
        let signal = UInt8(truncatingIfNeeded: status & 0x7f)
        self = signal == 0 ? .exited(UInt8(truncatingIfNeeded: status >> 8)) : .signalled(signal)
    }

    var text: String {
        switch self {
        case .exited(let code): "exit \(code)"
        case .signalled(let signal): "killed by signal \(signal)"
        }
    }
}
