package import Glibc

/// One entry of a folder (readdir(3)).
package enum DirectoryEntry {
    /// INVARIANT: only as many bytes are read as the entry has. `dirent` is declared with room for the longest name, but what
    /// readdir(3) returns ends behind its own: to copy the whole of it is to read beyond what the C library has allocated.
    package static func name(_ entry: UnsafePointer<dirent>) -> String { String(cString: start(entry)) }

    /// The same where a name need not be text.
    package static func bytes(_ entry: UnsafePointer<dirent>) -> [UInt8] {
        let start = start(entry)
        return Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    private static func start(_ entry: UnsafePointer<dirent>) -> UnsafePointer<CChar> {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        return UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    }
}
