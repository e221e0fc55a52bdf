internal import SandboxIntent
internal import SandboxPolicy
internal import SandboxSupervisor

/// The catalogue and the reader of SQL, put together.
enum Meanings {
    static func judge(_ policy: Policy) throws -> CommandJudge {
        CommandJudge(policy: policy, reader: try reader())
    }

    /// For dry runs: what a command would start is listed as well.
    static func reader() throws -> CommandReader {
        do {
            let catalogue = try CatalogueFiles.catalogue.get()
            return CommandReader(
                catalogue: { catalogue.meaning(program: $0, arguments: $1, nested: .listed) },
                elsewhere: { catalogue.meaning(elsewhere: $0) })
        } catch {
            ProfileSupport.say("sandbox: \(error)")
            throw ProfileSupport.ownFailure
        }
    }
}
