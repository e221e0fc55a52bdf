internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore
internal import SandboxSupervisor

extension StateOptions {
    func open() throws -> StateDirectory {
        do throws(StoreError) { return try StateDirectory(path) } catch {
            complain("\(error)")
            throw ExitCode(125)
        }
    }
}

struct PsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ps", abstract: "Lists the live sessions.")
    @OptionGroup var place: StateOptions
    @Flag(help: "One JSON object a line.") var json = false

    func run() throws {
        let state = try place.open()
        let live = try LiveSessions.all(state)
        if json { return live.forEach { print($0.text) } }
        print(Row.text("SESSION", "PID", "IDENTITY", "PROFILE", "MODE", "STARTED", "PROCS", "SUBAGENTS", "COMMAND"))
        for s in live {
            print(
                Row.text(
                    s["session"], s["pid"], s["identity"], s["profile"], s["mode"], s["started"].map { String($0.prefix(19)) + "Z" },
                    "\(s.processCount)", s.subagents, s.command))
        }
    }
}

enum Row {
    private static let widths = [29, 8, 18, 14, 8, 21, 6, 16]
    static func text(_ columns: String?...) -> String {
        zip(columns, widths + [0]).map { c, w in
            let t = c ?? "-"
            return t + String(repeating: " ", count: max(w - t.count, w == 0 ? 0 : 1))
        }.joined()
    }
}

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Prints a live session as JSON: who, where, its processes.")
    @OptionGroup var place: StateOptions
    @Argument(help: "A session's id or the beginning of it, its name, or `last`.") var session: String

    func run() throws { print(try LiveSessions.find(session, place.open()).text) }
}

struct KillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kill", abstract: "Ends a live session and every process in it.")
    @OptionGroup var place: StateOptions
    @Argument(help: "A session's id or the beginning of it, its name, or `last`.") var session: String

    func run() throws {
        let state = try place.open()
        let found = try LiveSessions.find(session, state)
        guard ControlClient.ask("kill", session: found["session"] ?? "", state: state) != nil else {
            complain("`\(session)` has ended already")
            throw ExitCode(1)
        }
    }
}

/// What a live session says about itself. The answer is our own supervisor's JSON; only its flat text fields are
/// looked at here.
struct LiveSession {
    let text: String

    subscript(_ field: String) -> String? {
        guard let start = text.firstRange(of: "\"\(field)\":")?.upperBound else { return nil }
        let rest = text[start...]
        if rest.first == "\"" { return rest.dropFirst().prefix { $0 != "\"" }.description }
        return rest.prefix { $0.isNumber }.description
    }

    var processCount: Int { text.ranges(of: "{\"pid\":").count }

    /// Each once; nil where there are none. Their names need no escaping.
    var subagents: String? {
        let names = text.ranges(of: #""subagent":""#).map { text[$0.upperBound...].prefix { $0 != "\"" }.description }
        return names.isEmpty ? nil : Set(names).sorted().joined(separator: ",")
    }

    var command: String {
        guard let start = text.firstRange(of: "\"command\":[")?.upperBound,
            let end = text[start...].firstRange(of: "],\"processes\"")?.lowerBound
        else { return "-" }
        // The words between the quotes; what is escaped stays so.
        return text[start..<end].split(separator: "\",\"").joined(separator: " ").filter { $0 != "\"" }
    }
}

enum LiveSessions {
    static func all(_ state: StateDirectory) throws -> [LiveSession] {
        do throws(StoreError) {
            return try SessionDirectory.all(in: state).compactMap {
                ControlClient.ask("inspect", session: $0, state: state).map(LiveSession.init)
            }
        } catch {
            complain("\(error)")
            throw ExitCode(125)
        }
    }

    static func find(_ asked: String, _ state: StateDirectory) throws -> LiveSession {
        let live = try all(state)
        // A variable that nobody has set is the beginning of all of them.
        let matches = asked.isEmpty ? [] : live.filter { $0["session"]?.hasPrefix(asked) == true || $0["name"] == asked }
        if asked == "last", let newest = live.last { return newest }
        guard let only = matches.first, matches.count == 1 else {
            complain(matches.isEmpty ? "there is no live session `\(asked)`" : "`\(asked)` fits \(matches.count) live sessions")
            complain("  help: `sandbox ps` lists them")
            throw ExitCode(1)
        }
        return only
    }
}
