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

    /// Read when it is first asked for: a session whose profile has no rules never does.
    package static let catalogue: Result<Catalogue, Failure> = {
        do throws(Failure) { return .success(try load()) } catch { return .failure(error) }
    }()

    static var folders: [ProfileFiles.Folder] { ProfileFiles.folders("intents", shipped: "/intents") }

    private static func load() throws(Failure) -> Catalogue {
        var files: [(name: String, text: [UInt8])] = []
        for origin in ["shipped", "user", "system"] {
            for folder in folders where folder.origin == origin {
                for name in ProfileFiles.files(in: folder) { files.append(try read(folder.path + "/" + name)) }
            }
            guard !files.isEmpty else { throw .none }
        }
        do throws(CatalogueFailure) { return try Catalogue.load(files) } catch { throw .content(error) }
    }

    private static func read(_ path: String) throws(Failure) -> (name: String, text: [UInt8]) {
        do throws(ProfileLookupFailure) {
            return (path, try ProfileFiles.read(path)?.bytes ?? [])
        } catch { throw .file(error) }
    }
}
