internal import SandboxModel

/// Colours, where they are wanted.
package struct TextStyle: Sendable {
    private let isOn: Bool
    package init(colour: Bool) { isOn = colour }
    package func bold(_ text: String) -> String { wrap(text, "1") }
    func dim(_ text: String) -> String { wrap(text, "2") }
    func red(_ text: String) -> String { wrap(text, "31") }
    func yellow(_ text: String) -> String { wrap(text, "33") }
    private func wrap(_ text: String, _ code: String) -> String { isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}

/// The trail for people. All that comes from outside goes through `Escaped`.
package enum TrailText {
    // MARK: Sessions

    package static func sessions(_ rows: [SessionRow], style: TextStyle, now: UInt64) -> String {
        var table = [["SESSION", "STARTED", "TOOK", "WHO", "END", "COMMAND"]]
        for row in rows {
            let who = Escaped.text(row.info.identity) + (row.info.onBehalfOf.map { " for " + Escaped.text($0) } ?? "")
            let started = String(Timestamp.text(row.info.started).prefix(19)) + "Z"
            table.append([
                Escaped.text(row.info.id), started, took(row, now), who, end(row),
                shortened(Escaped.commandLine(row.info.command.map { Array($0.utf8) }), to: 60),
            ])
        }
        let widths = (0..<6).map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.enumerated().map { number, cells in
            let line = cells.enumerated().map { $1.padded(to: $0 == 5 ? 0 : widths[$0]) }.joined(separator: "  ")
            return (number == 0 ? style.bold(line) : line) + "\n"
        }.joined()
    }

    private static func took(_ row: SessionRow, _ now: UInt64) -> String {
        let end = row.ended ?? now
        return Timestamp.duration(end > row.info.started ? end - row.info.started : 0)
    }

    private static func end(_ row: SessionRow) -> String {
        if row.lost { return "supervisor was killed" }
        if row.ended == nil { return "running" }
        return row.status.map { ProcessEnd($0).text } ?? "ended"
    }

    // MARK: Events

    /// `TIME  decision operation (access) resource  rule  program[pid]  ×count  error`
    package static func line(_ event: TrailEvent, style: TextStyle) -> String {
        var words = [Timestamp.text(event.first), decision(event.decision, style)]
        words.append(what(event.operation, event.access))
        var resource = event.resource.map { Escaped.text($0) } ?? "-"
        if let target = event.target { resource += " -> " + Escaped.text(target) }
        if let host = event.host { resource += " (" + Escaped.text(host) + ")" }
        words.append(resource)
        if event.operation == .exec, let arguments = event.process.arguments {
            words.append(style.dim("[" + shortened(Escaped.commandLine(arguments.words), to: 200) + "]"))
        }
        if let rule = event.rule { words.append("by " + Escaped.text(([rule.name] + event.otherRules).joined(separator: " "))) }
        if let rewritten = event.judgement?.rewritten {
            words.append("as " + style.dim("[" + shortened(Escaped.commandLine(rewritten), to: 200) + "]"))
        }
        if let approval = event.judgement?.approval {
            words.append(Escaped.text(approval) + (event.answer.map { " (\($0.text))" } ?? ""))
        }
        if let shadow = event.judgement?.shadow {
            words.append(style.yellow("(candidate: \(Escaped.text(([shadow.decision.name] + shadow.rules).joined(separator: " "))))"))
        }
        if event.decision != .allow, !event.flags.contains(.enforced) { words.append("(not enforced)") }
        words.append(style.dim(process(event.process)))
        if event.count > 1 { words.append("×\(event.count)") }
        if let result = event.result, result < 0 { words.append(ErrorNumber.name(0 &- result)) }
        return words.joined(separator: "  ") + "\n"
    }

    private static func process(_ process: TrailEvent.Process) -> String {
        let name = process.program?.split(separator: UInt8(ascii: "/")).last.map { Escaped.text($0) } ?? "?"
        return "\(name)[\(process.pid)]" + (process.subagent.map { " as " + Escaped.text($0) } ?? "")
    }

    private static func what(_ operation: Operation, _ access: FileAccess) -> String {
        operation == .open && !access.isEmpty ? "open(" + access.names.joined(separator: "+") + ")" : operation.name
    }

    private static func decision(_ decision: Decision, _ style: TextStyle) -> String {
        switch decision {
        case .allow: "allow"
        case .deny: style.red("deny")
        case .ask, .rewrite: style.yellow(decision.name)
        }
    }

    // MARK: One session

    package static func summary(_ summary: SessionSummary, style: TextStyle, now: UInt64) -> String {
        let sections = [
            head(summary, style: style, now: now),
            section("denied, asked and rewritten", refusals(summary, style), style),
            section("the candidate would have decided otherwise (\(summary.differing) times)", differences(summary), style),
            section("processes", processes(summary), style),
            section("files changed", files(summary), style),
            section("hosts reached", hosts(summary), style),
            section("notes", summary.notes.map { Escaped.text($0) }, style),
        ]
        return sections.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func head(_ summary: SessionSummary, style: TextStyle, now: UInt64) -> String {
        let row = summary.session
        let info = row.info
        var lines = [("session", Escaped.text(info.id) + (info.name.map { " (" + Escaped.text($0) + ")" } ?? ""))]
        let principal = info.onBehalfOf.map { ", on behalf of " + Escaped.text($0) } ?? ""
        lines.append(
            (
                "who",
                Escaped.text(info.identity) + principal + ", as user \(info.user)"
                    + (info.host.isEmpty ? "" : " on " + Escaped.text(info.host))
            ))
        if !info.groups.isEmpty { lines.append(("groups", info.groups.map { Escaped.text($0) }.joined(separator: ", "))) }
        if !info.roles.isEmpty { lines.append(("roles", info.roles.map { Escaped.text($0) }.joined(separator: ", "))) }
        if let purpose = info.purpose { lines.append(("why", Escaped.text(purpose))) }
        lines.append(("command", shortened(Escaped.commandLine(info.command.map { Array($0.utf8) }), to: 300)))
        lines.append(("where", Escaped.text(info.workspace)))
        let observed = info.mode == "observe" ? " (nothing was enforced)" : ""
        lines.append(("profile", Escaped.text(info.profile) + ", " + Escaped.text(info.mode) + observed))
        lines.append(("when", Timestamp.text(info.started) + ", " + took(row, now)))
        var ended = end(row)
        if row.torn > 0 { ended += "; \(counted(row.torn, "record")) cut off" }
        lines.append(("end", row.lost ? style.red(ended) : ended))
        let words: [(Decision, String)] = [(.deny, "refused"), (.ask, "asked about"), (.rewrite, "rewritten")]
        let kinds = words.compactMap { decision, word in summary.decided[decision].map { counted($0, "kind") + " " + word } }
        let refused = kinds.isEmpty ? "nothing refused" : kinds.joined(separator: ", ") + ", see below"
        lines.append(("did", "\(counted(summary.accesses, "access")), \(counted(summary.processes.total, "process")), " + refused))
        return lines.map { style.bold($0.padded(to: 9)) + $1 + "\n" }.joined()
    }

    private static func refusals(_ summary: SessionSummary, _ style: TextStyle) -> [String] {
        var lines = summary.refused.items.map { item in
            let resource = item.resource.map { Escaped.text($0) } ?? "-"
            var line = "\(decision(item.decision, style))  \(what(item.operation, item.access)) \(resource)"
            if item.count > 1 { line += "  ×\(item.count)" }
            if !item.enforced { line += "  (not enforced)" }
            if let rule = item.rule {
                line += "\n        by " + Escaped.text(rule.name) + (rule.reason.isEmpty ? "" : ": " + Escaped.text(rule.reason))
            }
            return line + (item.answer.map { "\n        " + $0.text } ?? "")
        }
        let filter = "--decision deny --decision ask --decision rewrite"
        lines += more(summary.refused.total - summary.refused.items.count, summary, filter)
        return lines
    }

    /// The tree, children below their parents.
    private static func processes(_ summary: SessionSummary) -> [String] {
        let items = summary.processes.items
        let listed = Set(items.map(\.serial))
        let children = Dictionary(grouping: items) { item in
            item.parent.flatMap { listed.contains($0) ? $0 : nil } ?? 0
        }
        var lines: [String] = []
        var open = Array((children[0] ?? []).reversed().map { ($0, 0) })
        while let (item, depth) = open.popLast() {
            let command = item.arguments.isEmpty ? Escaped.text(item.program ?? Array("?".utf8)) : Escaped.commandLine(item.arguments)
            var line = String(repeating: "  ", count: min(depth, 20)) + "\(item.pid) "
            // A chain of many is cut where it is the least telling.
            if item.before.count > 4 { line += "… → " }
            for name in item.before.suffix(4) { line += shortened(Escaped.text(name), to: 40) + " → " }
            line += shortened(command, to: 90)
            if let subagent = item.subagent { line += "  as " + Escaped.text(subagent) }
            switch item.status.map(ProcessEnd.init) {
            case .exited(0)?: break
            case let end?: line += "  (" + end.text + ")"
            case nil: line += item.ended == nil && summary.session.ended == nil ? "  (running)" : ""
            }
            lines.append(line)
            // A serial is larger than its parent's: a journal that says otherwise is not followed in circles.
            for child in (children[item.serial] ?? []).reversed() where child.serial > item.serial {
                open.append((child, depth + 1))
            }
        }
        return lines + more(summary.processes.total - items.count, summary, "--operation exec")
    }

    private static func files(_ summary: SessionSummary) -> [String] {
        let verbs: [Operation: String] = [
            .create: "created", .delete: "deleted", .rename: "renamed", .link: "linked", .metadata: "changed",
        ]
        let lines = summary.files.items.map { item in
            var line = (verbs[item.operation] ?? "wrote").padded(to: 9) + Escaped.text(item.resource)
            if let target = item.target { line += " -> " + Escaped.text(target) }
            return line + (item.count > 1 ? "  ×\(item.count)" : "")
        }
        let operations = "--operation open --operation create --operation delete --operation rename"
        return lines + more(summary.files.total - summary.files.items.count, summary, operations)
    }

    private static func differences(_ summary: SessionSummary) -> [String] {
        let lines = summary.differences.items.map { item in
            let by = item.rules.isEmpty ? "" : "  by " + Escaped.text(item.rules.joined(separator: " "))
            let change = "\(item.decision.name) -> \(item.shadow.name)".padded(to: 18)
            return change + item.operation.name.padded(to: 9) + (item.resource.map { Escaped.text($0) } ?? "-") + by
                + (item.count > 1 ? "  ×\(item.count)" : "")
        }
        return lines + more(summary.differences.total - summary.differences.items.count, summary, "--differs")
    }

    private static func hosts(_ summary: SessionSummary) -> [String] {
        let lines = summary.hosts.items.map { item in
            var line = item.operation.name.padded(to: 9) + Escaped.text(item.resource)
            if let name = item.target { line += " (" + Escaped.text(name) + ")" }
            return line + (item.count > 1 ? "  ×\(item.count)" : "")
        }
        return lines + more(summary.hosts.total - summary.hosts.items.count, summary, "--operation connect --operation send")
    }

    // MARK: Words

    private static func section(_ title: String, _ lines: [String], _ style: TextStyle) -> String {
        lines.isEmpty ? "" : style.bold(title) + "\n" + lines.map { "  " + $0 + "\n" }.joined()
    }

    private static func more(_ count: Int, _ summary: SessionSummary, _ filter: String) -> [String] {
        if count <= 0 { return [] }
        return ["… and \(count) more: sandbox audit events --session \(Escaped.text(summary.session.info.id)) \(filter)"]
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        let plural = noun.hasSuffix("s") ? noun + "es" : noun + "s"
        return "\(count) \(count == 1 ? noun : plural)"
    }

    private static func shortened(_ text: String, to limit: Int) -> String {
        text.count <= limit ? text : text.prefix(limit - 1) + "…"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}
