internal import Glibc
internal import SandboxFiles

/// What lies in folders.
enum FolderNames {
    /// At all depths, the nearest first, and no more than `limit` of them.
    static func forEachPath(below folder: [UInt8], limit: Int = 100_000, _ body: ([UInt8]) -> Bool) {
        var waiting = [folder], next = 0, left = limit
        while next < waiting.count, left > 0 {
            let above = waiting[next] + [UInt8(ascii: "/")]
            next += 1
            forEach(in: waiting[next - 1], since: .max) { name, isFolder, _ in
                left -= 1
                if isFolder { waiting.append(above + name) }
                if !body(above + name) { left = 0 }
                return left > 0
            }
        }
    }

    /// `isNew`: made, or changed, at `started` (seconds since 1970) or later. As long as `body` is true.
    static func forEach(
        in folder: [UInt8], since started: Int, _ body: (_ name: [UInt8], _ isFolder: Bool, _ isNew: Bool) -> Bool
    ) {
        let fd = open(folder.map { CChar(bitPattern: $0) } + [0], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard fd >= 0, let directory = fdopendir(fd) else {
            if fd >= 0 { close(fd) }
            return
        }
        defer { closedir(directory) }
        var st = stat()
        // The time of the last change is the kernel's alone to set, of a folder as of a file: utimensat(2).
        let hasChanged = fstat(fd, &st) == 0 && st.st_ctim.tv_sec >= started
        while let entry = readdir(directory) {
            let name = DirectoryEntry.bytes(entry)
            if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { continue }
            let type = Int32(entry.pointee.d_type)
            // Not every file system says it here (readdir(3)).
            let isUnknown = type == Int32(DT_UNKNOWN)
            let isThere = (hasChanged || isUnknown) && fstatat(fd, name.map { CChar(bitPattern: $0) } + [0], &st, AT_SYMLINK_NOFOLLOW) == 0
            let isFolder = type == Int32(DT_DIR) || isUnknown && isThere && st.st_mode & S_IFMT == S_IFDIR
            if !body(name, isFolder, hasChanged && isThere && st.st_ctim.tv_sec >= started) { return }
        }
    }
}
