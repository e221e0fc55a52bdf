internal import ArgumentParser
internal import SandboxIntent
internal import SandboxPolicy
internal import SandboxSupervisor

/// The catalogue and the reader of SQL, put together.
enum Meanings {
    static func reader() throws -> CommandReader {
        do throws(RunFailure) { return try IntentFiles.reader(isNeeded: true) } catch {
            complain(error.message)
            throw ExitCode(125)
        }
    }

    static let rewrite: CommandJudge.Rewriter = { _, _, _ in nil }

    static func judge(_ policy: Policy) throws -> CommandJudge {
        CommandJudge(policy: policy, reader: try reader(), rewriteSQL: rewrite)
    }
}
