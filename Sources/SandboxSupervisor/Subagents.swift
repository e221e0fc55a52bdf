internal import CShims
internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import Synchronization

/// Who is which sub-agent, by process. A name is for telling who did what, and for rules that ask for it: it gives nothing, and
/// nothing takes it off again, so that it need not be proven who asks for one.
final class Subagents: Sendable {
    private let names = Mutex<[UInt32: [UInt8]]>([:])
    private let own: (device: UInt64, inode: UInt64)

    init() {
        var st = stat()
        own = stat("/proc/self/exe", &st) == 0 ? (UInt64(st.st_dev), UInt64(st.st_ino)) : (0, 0)
    }

    /// Of the process with this serial.
    func name(of serial: UInt32) -> [UInt8]? { names.withLock { $0.isEmpty ? nil : $0[serial] } }

    /// The new process is what its parent is. One whose parent is gone and unknown may have been a sub-agent's: it gets a name that
    /// nobody can give, to be recorded, where there are any.
    func started(_ serial: UInt32, by parent: UInt32) -> [UInt8]? {
        names.withLock { names in
            if names.isEmpty { return nil }
            names[serial] = parent == 0 ? Subagents.unknown : names[parent]
            return parent == 0 ? Subagents.unknown : nil
        }
    }

    static let unknown = Array("?".utf8)

    func ended(_ serial: UInt32) { names.withLock { _ = $0.isEmpty ? nil : $0.removeValue(forKey: serial) } }

    /// At the exec event: whether what was loaded is this very program with `as NAME`. The arguments are read from the new image's
    /// stack, which nobody can change, and the file is known by its number, so that no other program is taken for it. Gives the name
    /// that the process has from now on.
    func became(_ caller: Caller, _ programs: ProgramWork) -> [UInt8]? {
        guard programs.count == 1, !programs.isUnreadable, programs.chain[0].inode == own.inode, programs.chain[0].device == own.device
        else {
            return nil
        }
        let words = programs.image.arguments.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, words[1].elementsEqual(SubagentAnswer.word), SubagentName.isValid(words[2]) else { return nil }
        let nested = SubagentName.nested(Array(words[2]), in: name(of: caller.serial))
        if let nested { names.withLock { $0[caller.serial] = nested } }
        programs.image.overwrite(at: words[1].startIndex, with: nested == nil ? SubagentAnswer.refused : SubagentAnswer.accepted)
        return nested
    }
}
