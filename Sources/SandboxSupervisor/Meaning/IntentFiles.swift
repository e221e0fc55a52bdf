internal import Glibc
internal import SandboxIntent
internal import SandboxPolicy
internal import SandboxStore

/// The catalogue where the installation, administrators and users keep it: beside their profiles.
package enum IntentFiles {
    package static func folder(beside profiles: ProfileFiles.Folder) -> String {
        if profiles.origin == "shipped" { return profiles.path + "/intents" }
        return profiles.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/intents"
    }

    /// What later files say is added to what earlier ones say: the user's own come last.
    package static func catalogue() throws(RunFailure) -> Catalogue {
        var files: [(name: String, text: [UInt8])] = []
        for folder in ProfileFiles().folders.reversed().map(folder) {
            for name in names(in: folder) {
                do throws(ProfileLookupFailure) {
                    if let source = try ProfileFiles.read(folder + "/" + name) { files.append((folder + "/" + name, source.bytes)) }
                } catch { throw RunFailure(error.message, help: error.help) }
            }
        }
        do throws(CatalogueFailure) { return try Catalogue.load(files) } catch {
            throw RunFailure("the catalogue of intents is not valid; nothing was run\n\(error)")
        }
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) { names.append(DirectoryEntry.name(entry)) }
        return names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
    }

    /// Where no rule asks for a meaning, nothing is read.
    package static func reader(isNeeded: Bool) throws(RunFailure) -> CommandReader {
        guard isNeeded else { return CommandReader(catalogue: { _, _ in CommandMeaning() }, sql: { _, _ in [] }) }
        let catalogue = try catalogue()
        return CommandReader(
            catalogue: { catalogue.meaning(program: $0, arguments: $1) }, sql: { SQL.read($0, dialect: $1) })
    }
}
