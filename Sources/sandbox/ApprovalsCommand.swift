internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore
internal import SandboxSupervisor

struct ApprovalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals", abstract: "Operations that are held until somebody has answered.",
        subcommands: [ApprovalsList.self, ApprovalsShow.self, ApprovalsApprove.self, ApprovalsDeny.self])
}

struct ApprovalsList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists what waits for an answer, in all live sessions.")
    @OptionGroup var place: StateOptions
    @Flag(help: "One JSON object a line.") var json = false

    func run() throws {
        for question in try OpenQuestions.all(place.open()) { print(json ? question.json : question.line) }
    }
}

struct ApprovalsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows one question: what would run, which rule asks, who may answer, and what was answered.")
    @OptionGroup var place: StateOptions
    @Argument(help: "Ids of questions, or parts of them that no other has.") var ids: [String]
    @Flag(help: "One JSON object for a question that waits, one for each step of one that is over.") var json = false

    func run() throws {
        let state = try place.open()
        for id in ids {
            if let question = try OpenQuestions.find(id, state) {
                print(json ? question.json : question.text)
                continue
            }
            let trail = try place.reader()
            guard let whole = try OpenQuestions.only(id, trail?.approvals(like: id) ?? []) else { throw OpenQuestions.unknown(id) }
            let steps = try trail?.approval(whole) ?? []
            if json { steps.forEach { print($0) } } else { print(OpenQuestion.text(ofClosed: steps)) }
        }
    }
}

struct ApprovalsApprove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "approve", abstract: "Lets a held operation go on.")
    @OptionGroup var place: StateOptions
    @Argument(help: "Ids of questions, or parts of them that no other has.") var ids: [String]
    @Option(name: .customLong("for"), help: ArgumentHelp("once, session, or so long: 90s, 10m, 2h.", valueName: "scope")) var scope = "once"
    @Flag(help: "JSON.") var json = false

    func run() throws { try OpenQuestions.answer(ids, ["approve", "", scope], place, json: json) }
}

struct ApprovalsDeny: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "deny", abstract: "Refuses a held operation.")
    @OptionGroup var place: StateOptions
    @Argument(help: "Ids of questions, or parts of them that no other has.") var ids: [String]
    @Option(help: "Why; the agent reads it.") var reason: String?
    @Flag(help: "JSON.") var json = false

    func run() throws {
        let reason = (reason ?? "").split(whereSeparator: { $0.isNewline || $0 == "\t" }).joined(separator: " ")
        try OpenQuestions.answer(ids, ["deny", ""] + (reason.isEmpty ? [] : [reason]), place, json: json)
    }
}

/// A question as a supervisor tells it.
struct OpenQuestion {
    let json: String
    let socket: String
    private let object: FlatJSON

    init(json: String, socket: String) {
        self.json = json
        self.socket = socket
        object = FlatJSON(json)
    }

    subscript(_ field: String) -> String? { object[field] }

    /// What comes from a session was escaped there; it is shown as it came.
    var line: String {
        let what = object["args"] ?? object["resource"] ?? ""
        return
            "\(self["approval"] ?? "?")  \(self["expires"].map { String($0.prefix(19)) + "Z" } ?? "")  \(self["operation"] ?? "")  \(what)"
    }

    var text: String {
        let fields = [
            "approval", "state", "session", "identity", "on_behalf_of", "purpose", "asked", "expires", "operation", "access", "program",
            "resource", "to", "args", "intents", "rules", "reason", "approvers", "approvals", "scopes", "approved_by", "answer",
        ]
        return fields.compactMap { name in self[name].map { Self.field(name, Self.plain(name, $0)) } }.joined(separator: "\n")
    }

    private static func field(_ name: String, _ value: String) -> String {
        name + String(repeating: " ", count: max(1, 14 - name.count)) + value
    }

    /// Words of a list without the quotes of JSON, where none of them can hold a blank.
    private static func plain(_ name: String, _ value: String) -> String {
        switch name {
        case "approvers" where value == "[]": "whoever runs the session"
        // A list of lists: one for each rule that asks.
        case "approvers": value.filter { !"[]\"".contains($0) }
        case "access", "intents", "rules", "scopes", "approved_by": value.filter { $0 != "\"" }
        default: value
        }
    }

    /// The question as it was asked, and what came after: answers, and what became of it.
    static func text(ofClosed steps: [String]) -> String {
        var lines: [String] = []
        for step in steps {
            let step = OpenQuestion(json: step, socket: "")
            let by = step["by"].map { " by " + plain("approved_by", $0) } ?? ""
            switch step["event"] {
            case "closed":
                let longer = ["session": " for the session", "time": " for a time"][step["scope"] ?? ""] ?? ""
                let waited = step["waited"].map { ", after \($0) ms" } ?? ""
                // A denial's reason names who denied.
                lines.append(field("state", (step["outcome"] ?? "") + (step["reason"].map { " " + $0 } ?? by) + longer + waited))
            case "answer":
                let what = step["approves"].map { $0 == "true" ? "approve" : "deny" } ?? "none"
                lines.append(field("answer", what + by + ": " + (step["taken"] ?? "") + (step["reason"].map { " (\($0))" } ?? "")))
            default: lines.append(step.text)
            }
        }
        return lines.joined(separator: "\n")
    }
}

enum OpenQuestions {
    static func all(_ state: StateDirectory) throws -> [OpenQuestion] {
        do throws(StoreError) {
            return try ControlClient.sockets(in: state).flatMap { socket in
                guard let text = ControlClient.ask("approvals", at: socket) else { return [OpenQuestion]() }
                return FlatJSON.objects(in: text, field: "approvals").map { OpenQuestion(json: $0, socket: socket) }
            }
        } catch {
            complain("\(error)")
            throw ExitCode(125)
        }
    }

    /// Also one that has been answered, where its session lives. A whole id is not looked for among others.
    static func find(_ id: String, _ state: StateDirectory) throws -> OpenQuestion? {
        // A variable that nobody has set is in all of them.
        if id.isEmpty { return nil }
        for socket in try ControlClient.sockets(in: state) {
            guard let text = ControlClient.ask("approval\t\(id)", at: socket), !text.contains(#""error":"#) else { continue }
            return OpenQuestion(json: text, socket: socket)
        }
        let found = try all(state)
        let whole = try only(id, found.compactMap { $0["approval"] }.filter { $0.contains(id) })
        return found.first { $0["approval"] == whole }
    }

    /// Nil where there is none.
    static func only(_ id: String, _ found: [String]) throws -> String? {
        guard found.count > 1 else { return found.first }
        complain("`\(id)` fits \(found.count) questions; `sandbox approvals list` has those that are open")
        throw ExitCode(1)
    }

    static func unknown(_ id: String) -> ExitCode {
        complain("there is no question `\(id)`; `sandbox approvals list` has those that are open")
        return ExitCode(1)
    }

    /// `words[1]` is where each id goes. Ends with 1 where one of them was not taken.
    static func answer(_ ids: [String], _ words: [String], _ place: StateOptions, json: Bool) throws {
        let state = try place.open()
        var failed = false
        for id in ids {
            guard let error = try answer(id, words, place, state, json) else { continue }
            complain("`\(id)`: \(error)")
            failed = true
        }
        if failed { throw ExitCode(1) }
    }

    private static func answer(_ id: String, _ words: [String], _ place: StateOptions, _ state: StateDirectory, _ json: Bool) throws
        -> String?
    {
        let over = "the session has ended; nothing waits for that answer any more"
        if id.isEmpty { return "there is no such question" }
        guard let question = try find(id, state), let whole = question["approval"] else {
            guard let whole = try only(id, place.reader()?.approvals(like: id) ?? []) else { return "there is no such question" }
            try Trail.noteLateAnswer(to: whole, approves: words[0] == "approve", by: Approver.own, in: state)
            return over
        }
        var words = words
        words[1] = whole
        guard let reply = ControlClient.ask(words.joined(separator: "\t"), at: question.socket) else { return over }
        let object = FlatJSON(reply)
        if json { print(reply) }
        if let error = object["error"] { return error }
        if !json { print("\(whole): \(object["state"] ?? "")" + (object["missing"].map { ", \($0) more must approve" } ?? "")) }
        return nil
    }
}
