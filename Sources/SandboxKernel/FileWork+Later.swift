internal import CShims
internal import Glibc
internal import SandboxModel

/// A call that was held for a while.
extension FileWork {
    /// After a while: what was pinned cannot have become another, but a name in a pinned folder may be somebody else's by now, and
    /// the folder may lie elsewhere.
    package func isStillWhatItWas() -> Bool { isStill(first) && (!hasSecond || isStill(second)) }

    private func isStill(_ s: FileSubject) -> Bool {
        guard !s.isAnonymous else { return true }
        let was = (path: s.path.text.map { $0 }, kind: s.kind, device: s.device, inode: s.inode)
        if s.name.isEmpty {
            var st = stat()
            guard sbx_fstat(s.pin, &st) == 0 else { return false }
            // Its names are gone: whoever has it open has it still.
            if st.st_nlink == 0 { return true }
            do throws(Errno) { try resolver.describe(s.pin, into: s.path) } catch { return false }
        } else {
            do throws(Errno) { try lookUpName(s, mustExist: false) } catch { return false }
        }
        let isSame = s.kind == was.kind && (s.kind == .absent || s.device == was.device && s.inode == was.inode)
        return isSame && s.path.text.elementsEqual(was.path)
    }
}
