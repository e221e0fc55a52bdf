import CShims
import Foundation
import Glibc
import Testing

/// The floor below all decisions: what is tried here in its domain, by a thread that no filter holds.
@Suite(.enabled(if: sbx_landlock_abi() >= 1, "there is no Landlock here")) struct LandlockTests {
    /// In a thread of its own: a domain is for life.
    private func inDomain(_ body: @escaping @Sendable () -> [String: Int32]) -> [String: Int32] {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var results: [String: Int32] = [:]
        Thread {
            let rules = sbx_landlock_domain()
            results["domain"] = rules < 0 ? -rules : sbx_landlock_enter(rules)
            if rules >= 0 { close(rules) }
            results.merge(body()) { $1 }
            done.signal()
        }.start()
        done.wait()
        return results
    }

    private static func error(_ result: Int32) -> Int32 { result < 0 ? errno : 0 }

    @Test func takesAllThatIsDoneOnBehalf() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/landlock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/other", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "text".write(toFile: folder + "/file", atomically: false, encoding: .utf8)
        let held = open(folder + "/file", O_RDWR)
        defer { close(held) }
        let abi = sbx_landlock_abi()
        let got = inDomain {
            var r: [String: Int32] = [:]
            r["read"] = Self.error(open(folder + "/file", O_RDONLY))
            r["list"] = Self.error(open(folder, O_RDONLY | O_DIRECTORY))
            r["write what it holds"] = Self.error(Int32(write(held, "x", 1)))
            r["cut what it holds"] = Self.error(ftruncate(held, 1))
            r["write"] = Self.error(open(folder + "/file", O_WRONLY))
            r["make"] = Self.error(open(folder + "/new", O_WRONLY | O_CREAT, 0o600))
            r["remove"] = Self.error(unlink(folder + "/file"))
            r["mkdir"] = Self.error(mkdir(folder + "/new", 0o700))
            r["rmdir"] = Self.error(rmdir(folder + "/other"))
            r["fifo"] = Self.error(mkfifo(folder + "/new", 0o600))
            r["symlink"] = Self.error(symlink("file", folder + "/new"))
            r["move"] = Self.error(rename(folder + "/file", folder + "/other/file"))
            r["cut"] = Self.error(truncate(folder + "/file", 0))
            r["bind"] = Self.error(Self.socketCall { Glibc.bind($0, $1, $2) })
            r["connect"] = Self.error(Self.socketCall { connect($0, $1, $2) })
            r["signal"] = Self.error(kill(getppid(), 0))
            return r
        }
        #expect(got["domain"] == 0)
        for what in ["read", "list", "write what it holds", "cut what it holds"] { #expect(got[what] == 0, "\(what)") }
        for what in ["write", "make", "remove", "mkdir", "rmdir", "fifo", "symlink"] { #expect(got[what] == EACCES, "\(what)") }
        // From one folder to another it is REFER's as well, which a domain never grants of itself (EXDEV).
        #expect(got["move"] == EACCES || got["move"] == EXDEV)
        if abi >= 3 { #expect(got["cut"] == EACCES) }
        if abi >= 4 { for what in ["bind", "connect"] { #expect(got[what] == EACCES, "\(what)") } }
        if abi >= 6 { #expect(got["signal"] == EPERM) }
    }

    private static func socketCall(_ call: (Int32, UnsafePointer<sockaddr>, UInt32) -> Int32) -> Int32 {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var a = sockaddr_in()
        a.sin_family = sa_family_t(AF_INET)
        a.sin_port = UInt16(9).bigEndian
        a.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &a) { p in
            p.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(fd, $0, UInt32(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    /// Binding with the caller's bytes makes a socket in the folder that was judged, wherever they lead to by now.
    @Test func bindsBelowTheFolderOnly() throws {
        let root = FileManager.default.temporaryDirectory.path + "/b-\(UInt32.random(in: 0...UInt32.max))"
        for name in ["judged", "other"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(FileManager.default.createFile(atPath: root + "/file", contents: nil))
        let folder = open(root + "/judged", O_RDONLY | O_DIRECTORY), cwd = open(root, O_RDONLY | O_DIRECTORY)
        defer { for fd in [folder, cwd] { close(fd) } }
        for (given, name) in [("judged/s", "s"), ("other/t", "t"), ("nowhere/u", "u"), ("file/v", "v")] {
            #expect(bindConfined(given, name, cwd, folder) == 0)
            #expect(access(root + "/judged/" + name, F_OK) == 0)
            #expect(access(root + "/other/" + name, F_OK) != 0)
        }
    }

    private func bindConfined(_ path: String, _ name: String, _ cwd: Int32, _ folder: Int32) -> Int32 {
        let s = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(s) }
        var a = sockaddr_un()
        a.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &a.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &a) { sbx_bind_confined(s, $0, UInt32(3 + path.utf8.count), cwd, folder, name, 1) }
    }
}
