internal import SandboxFiles

/// Where the history of a linked work tree lies, git-worktree(1): its `.git` is a file that names a folder in the repository.
enum Repository {
    /// Of the work tree `workspace`, resolved; nil where that is none, or has its own. They must name each other: a session may write
    /// into its workspace, and must not open anything else to the next one by that.
    static func linked(to workspace: [UInt8]) -> [UInt8]? {
        let file = workspace + Array("/.git".utf8)
        guard var named = line(in: file), named.starts(with: "gitdir: ".utf8) else { return nil }
        named.removeFirst("gitdir: ".utf8.count)
        guard let folder = ProfileFiles.resolve(absolute(named, in: workspace)), let back = line(in: folder + Array("/gitdir".utf8)),
            ProfileFiles.resolve(absolute(back, in: folder)) == file
        else { return nil }
        let names = folder.split(separator: slash)
        guard names.count >= 3, names[names.count - 2].elementsEqual("worktrees".utf8) else { return nil }
        let repository = names.dropLast(2).reduce(into: []) { $0 += [slash] + $1 }
        return file.starts(with: repository + [slash]) ? nil : repository
    }

    private static let slash = UInt8(ascii: "/")

    private static func line(in file: [UInt8]) -> [UInt8]? {
        TrustedFile.contents(String(decoding: file, as: UTF8.self)).map { Array($0.prefix { $0 != UInt8(ascii: "\n") }) }
    }

    private static func absolute(_ path: [UInt8], in folder: [UInt8]) -> [UInt8] {
        path.first == slash ? path : folder + [slash] + path
    }
}
