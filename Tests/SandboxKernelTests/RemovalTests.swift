import CShims
import Foundation
import Glibc
import Testing

/// `sbx_remove_tree`.
@Suite struct RemovalTests {
    private let root: String
    private var tree: String { root + "/tree" }
    private var kept: String { root + "/outside/kept" }

    init() throws {
        var name = Array("/tmp/sandbox-removal.XXXXXX".utf8CString)
        root = try #require(mkdtemp(&name).map { String(cString: $0) })
        mkdir(root + "/outside", 0o755)
        close(open(kept, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644))
    }

    private func remove() {
        sbx_remove_tree(tree)
        var st = stat()
        #expect(lstat(tree, &st) != 0)
    }

    /// So deep that no path leads to the end of it, with files and links on the way.
    @Test func whatNoPathLeadsTo() {
        defer { try? FileManager.default.removeItem(atPath: root) }
        mkdir(tree, 0o755)
        var at = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for _ in 0..<1000 {
            close(openat(at, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644))
            symlinkat(root + "/outside", at, "link")
            mkdirat(at, "a folder", 0o755)
            mkdirat(at, "another", 0o755)
            let next = openat(at, "a folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            close(at)
            at = next
        }
        close(at)
        remove()
        #expect(access(kept, F_OK) == 0)
    }

    private func fill(_ folder: String) {
        for i in 0..<1000 { close(open("\(folder)/\(i)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)) }
    }

    /// Somebody else, who may write there, puts a link in the place of a folder again and again.
    @Test func whatIsReplacedMeanwhile() {
        defer { try? FileManager.default.removeItem(atPath: root) }
        fill(root + "/outside")
        for _ in 0..<15 {
            mkdir(tree, 0o755)
            mkdir(tree + "/folder", 0o755)
            fill(tree + "/folder")
            symlink(root + "/outside", tree + "/link")
            let (a, b) = (tree + "/folder", tree + "/link")
            let begun = DispatchSemaphore(value: 0)
            let thread = Thread {
                var rounds = 0
                while rounds < 1_000_000, sbx_renameat2(AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) == 0 {
                    rounds += 1
                    if rounds == 10 { begun.signal() }
                }
            }
            thread.start()
            begun.wait()
            sbx_remove_tree(tree)
            while !thread.isFinished { sched_yield() }
            remove()
        }
        #expect((0..<1000).allSatisfy { access("\(root)/outside/\($0)", F_OK) == 0 })
    }
}
