package import SandboxIntent
package import SandboxPolicy

/// The files of the catalogue of intents: shipped, the user's, the system's. What the system says comes last, so that nobody
/// replaces it.
package enum CatalogueFiles {
    package enum Failure: Error, CustomStringConvertible {
        case file(ProfileLookupFailure)
        case content(CatalogueFailure)
        case none

        package var description: String {
            switch self {
            case .file(let failure): failure.description
            case .content(let failure): failure.description
            case .none: "there is no catalogue of intents: `Policies/intents` is not where the program looks for it"
            }
        }
    }

    /// Read when it is first asked for: a session whose profile has no rules never does. What is shipped is good, and each
    /// program of it is read when it is first started.
    package static let catalogue: Result<Catalogue, Failure> = {
        do throws(Failure) {
            let (shipped, others) = try files()
            do throws(CatalogueFailure) { return .success(try Catalogue.load(deferring: shipped, others)) } catch { throw .content(error) }
        } catch { return .failure(error) }
    }()

    /// All of it, with examples and entries.
    package static func whole() throws(Failure) -> Catalogue {
        let (shipped, others) = try files()
        do throws(CatalogueFailure) { return try Catalogue.load(shipped + others) } catch { throw .content(error) }
    }

    static var folders: [ProfileFiles.Folder] { ProfileFiles.folders("intents", shipped: "/intents") }

    private typealias Files = [(name: String, text: [UInt8])]

    private static func files() throws(Failure) -> (shipped: Files, others: Files) {
        let shipped = try files(from: "shipped")
        guard !shipped.isEmpty else { throw .none }
        return (shipped, try files(from: "user") + files(from: "system"))
    }

    private static func files(from origin: String) throws(Failure) -> Files {
        var files: Files = []
        for folder in folders where folder.origin == origin {
            for name in ProfileFiles.files(in: folder) { files.append(try read(folder.path + "/" + name)) }
        }
        return files
    }

    private static func read(_ path: String) throws(Failure) -> (name: String, text: [UInt8]) {
        do throws(ProfileLookupFailure) {
            return (path, try ProfileFiles.read(path)?.bytes ?? [])
        } catch { throw .file(error) }
    }
}
