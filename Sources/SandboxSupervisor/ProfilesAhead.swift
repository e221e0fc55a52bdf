internal import SandboxKernel
internal import SandboxPolicy

/// Has what a profile extends read while the profile itself is being read: shipped profiles stand on others,
/// and reading them is half of what a session takes to start.
///
/// It only guesses: what the loader asks for and is not here is read when it asks.
final class ProfilesAhead: @unchecked Sendable {
    // @unchecked: `begun` and `done` are only touched under `monitor`.
    private let files: ProfileFiles
    private let crew: Crew
    private let monitor = Monitor()
    private var begun: Set<String> = []
    private var done: [String: (bytes: [UInt8], parsed: ParsedProfile)] = [:]
    /// More than anybody's profile extends.
    private static let most = 8

    /// Begins at once with what the profile extends.
    init(_ files: ProfileFiles, for source: ProfileSource, _ crew: Crew) {
        self.files = files
        self.crew = crew
        readWhatIsExtended(by: source)
    }

    /// The file, read: here and now, or by the thread that began with it.
    func parsed(_ source: ProfileSource) -> ParsedProfile {
        let known = monitor.locked { () -> (bytes: [UInt8], parsed: ParsedProfile)? in
            while begun.contains(source.file), done[source.file] == nil { monitor.wait() }
            return done[source.file]
        }
        // It may have been replaced between the two looks: what counts is what the loader found.
        if let known, known.bytes == source.bytes { return known.parsed }
        return read(source)
    }

    private func read(_ source: ProfileSource) -> ParsedProfile {
        ParsedProfile(source, forSession: true, isShipped: files.isShipped(source.file))
    }

    private func readWhatIsExtended(by source: ProfileSource) {
        for name in ProfilesAhead.extended(in: source.bytes) {
            guard let next = try? files.find(name, from: source.file) else { continue }
            let isNew = monitor.locked { begun.count < ProfilesAhead.most && begun.insert(next.file).inserted }
            guard isNew else { continue }
            crew.make { [self] in
                readWhatIsExtended(by: next)
                let parsed = read(next)
                monitor.locked {
                    done[next.file] = (next.bytes, parsed)
                    monitor.broadcast()
                }
            }
        }
    }

    /// The names on the line `extends: …`; a guess, before anything is known of YAML.
    private static func extended(in bytes: [UInt8]) -> [String] {
        let key = Array("extends:".utf8)
        for line in bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 64) where line.starts(with: key) {
            let names = line.dropFirst(key.count).split { [0x20, 0x2c, 0x5b, 0x5d, 0x22, 0x27].contains($0) }
            return names.prefix(most).map { String(decoding: $0, as: UTF8.self) }
        }
        return []
    }
}
