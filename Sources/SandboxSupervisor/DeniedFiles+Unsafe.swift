internal import Glibc
internal import SandboxFiles
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// Denied files by what they are, not by what they are called: they may have other names as well, hard links from before the session,
/// since inside it none can be made.
///
/// They are looked for when the first file with several names comes to be judged, or with one that is not the one it was found by; any
/// other is never asked about.
final class DeniedFiles: Sendable {
    private struct Key: Hashable {
        let device, inode: UInt64
    }
    private struct Denials {
        var reading, changing, talking: Ruling?
    }

    private struct Found {
        var files: [Key: Denials] = [:]
        /// By which names rules take them out of use: one of those that are the same to all rules, for there may be thousands.
        var names: [Key: [[UInt64]: [UInt8]]] = [:]
        /// Of a file that was not found, where the session has made so many names that no search comes to an end.
        var others: Denials?
    }

    private let policy: Policy
    /// When the session began, in seconds since 1970: what has come since has no name from before.
    private let started: Int
    private let known = Mutex<Found?>(nil)
    /// Names from before the session to look at before the search is given up: it makes somebody wait. Those that the session makes do not
    /// count, or it could make as many and hide what lies below them.
    private static let limit = 50_000
    /// Of them all.
    private static let most = 1_000_000

    init(_ policy: Policy, started nanoseconds: UInt64) {
        self.policy = policy
        started = Int(nanoseconds / 1_000_000_000)
    }

    func ruling(device: UInt64, inode: UInt64, access: FileAccess) -> Ruling? {
        let denials = denials(device, inode)
        return access.isDisjoint(with: .changing) ? denials?.reading : denials?.changing
    }

    func ruling(ofSocket device: UInt64, _ inode: UInt64) -> Ruling? { denials(device, inode)?.talking }

    /// Names that a file has which rules are about, and which may not be the one it was found by.
    func names(device: UInt64, inode: UInt64) -> [[UInt8]] { ask { ($0.names[Key(device: device, inode: inode)] ?? [:]).map(\.value) } }

    private func denials(_ device: UInt64, _ inode: UInt64) -> Denials? { ask { $0.files[Key(device: device, inode: inode)] ?? $0.others } }

    private func ask<R>(_ body: (Found) -> R) -> R {
        known.withLock { found in
            let all = found ?? search()
            found = all
            return body(all)
        }
    }

    /// A file with other names, met under one that is denied.
    func note(device: UInt64, inode: UInt64, path: Span<UInt8>, isProgram: Bool) {
        let denials = denials(path, isProgram)
        guard denials.changing != nil else { return }
        known.withLock { found in
            if found == nil { found = search() }
            found?.files[Key(device: device, inode: inode)] = denials
        }
    }

    private func denials(_ path: Span<UInt8>, _ isProgram: Bool) -> Denials {
        Denials(
            reading: policy.denial(of: path, access: .read, isProgram: isProgram),
            changing: policy.denial(of: path, access: .write, isProgram: isProgram), talking: policy.denial(ofSocket: path))
    }

    // MARK: Searching

    /// Folder by folder, so that what lies near the top is found even where the limit is reached.
    private func search() -> Found {
        var found = Found()
        // No file has two names where the kernel shows itself.
        var waiting = (policy.deniedPlaces + policy.ruledPlaces).filter { place in
            !["/proc/", "/sys/"].contains { (place.path + [UInt8(ascii: "/")]).starts(with: $0.utf8) }
        }
        var next = 0, seen = 0, all = 0
        for place in waiting { look(at: place.path, &found) }
        while next < waiting.count, seen < DeniedFiles.limit {
            let place = waiting[next]
            next += 1
            FolderNames.forEach(in: place.path, since: started) { name, isFolder, isNew in
                if !isNew { seen += 1 }
                // Long ones take more room.
                all += 1 + place.path.count / 256
                if all > DeniedFiles.most { return false }
                let path = (place.path.count > 1 ? place.path : []) + [UInt8(ascii: "/")] + name
                if !isFolder { look(at: path, &found) }
                if isFolder, place.extent == .everything || place.extent == .asDenied && policy.mayDenyBelow(path.span) {
                    waiting.append(DeniedPlace(path: path, extent: place.extent))
                }
                return true
            }
            if all > DeniedFiles.most {
                let ruling = Ruling(.deny, by: policy.builtin.names)
                found.others = Denials(reading: ruling, changing: ruling, talking: ruling)
                break
            }
        }
        return found
    }

    private func look(at path: [UInt8], _ found: inout Found) {
        let isRuled = policy.rulesName(path.span)
        // Whether it is a program is not known yet; most are denied neither way.
        let isDenied = policy.denial(of: path.span, access: .write, isProgram: true) ?? policy.denial(ofSocket: path.span) != nil
        guard isRuled || isDenied else { return }
        var st = stat()
        // Those with one name, too: another may have gone, and with it who still holds the file by that one.
        guard lstat(path.map { CChar(bitPattern: $0) } + [0], &st) == 0, st.st_mode & S_IFMT != S_IFDIR else { return }
        let key = Key(device: UInt64(st.st_dev), inode: UInt64(st.st_ino))
        if isRuled { found.names[key, default: [:]][policy.sight(of: path.span)] = path }
        let denials = denials(path.span, st.st_mode & S_IFMT == S_IFREG && st.st_mode & 0o111 != 0)
        if isDenied, denials.talking != nil { found.files[key] = denials }
    }
}
