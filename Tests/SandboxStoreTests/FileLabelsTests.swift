import Glibc
import Testing

@testable import SandboxStore

/// Which classes files carry: seen by everybody at once, and not more lines than say something.
@Suite struct FileLabelsTests {
    private let temporary: TemporaryState
    private var state: StateDirectory { temporary.state }

    init() throws { temporary = try TemporaryState() }

    private func label(_ inode: UInt64, born: UInt64 = 1, _ name: String = "pii") -> FileLabel {
        FileLabel(
            device: 7, inode: inode, born: born, name: name, time: born, session: "s-1", path: Array("/a\tb\n\\".utf8), why: "one\ntwo")
    }

    private func open(fewLines: Int = 4) throws -> FileLabels { try FileLabels(in: state, fewLines: fewLines) }

    private var lines: Int {
        var st = stat()
        stat(state.path + "/labels", &st)
        var bytes = [UInt8](repeating: 0, count: Int(st.st_size))
        let file = Glibc.open(state.path + "/labels", O_RDONLY)
        defer { close(file) }
        return read(file, &bytes, bytes.count) == bytes.count ? bytes.split(separator: UInt8(ascii: "\n")).count : -1
    }

    /// What one says the other sees, also where the file has been written anew in between.
    @Test func everybodySeesEverything() throws {
        let one = try open(), other = try open()
        #expect(one.add(label(1)) && other.of(device: 7, inode: 1) == [label(1)])
        for born: UInt64 in 2...50 { #expect(one.add(label(2, born: born))) }
        #expect(lines < 12, "\(lines)")
        #expect(other.of(device: 7, inode: 1) == [label(1)] && other.of(device: 7, inode: 2) == [label(2, born: 50)])
        // Whoever still has the old file writes to the new one.
        let late = try open()
        for born: UInt64 in 51...80 { #expect(one.add(label(2, born: born))) }
        #expect(late.add(label(3)) && other.add(label(4)))
        for labels in [one, other, late, try open()] {
            #expect((1...4).map { labels.of(device: 7, inode: $0).count } == [1, 1, 1, 1])
        }
    }

    /// Only what is certainly another file's is left out: its line and its birth are both later.
    @Test func whatMayHoldIsKept() throws {
        let labels = try open()
        let all = [label(1, born: 9), label(1, born: 5), label(1, born: 0), label(1, born: 5, "key")]
        for label in all { #expect(labels.add(label)) }
        #expect(labels.add(label(3, born: 4)) && labels.add(label(3, born: 6)))
        for born: UInt64 in 10...60 { #expect(labels.add(label(2, born: born))) }
        let known = try open()
        #expect(Set(known.of(device: 7, inode: 1)) == Set(all) && known.of(device: 7, inode: 3) == [label(3, born: 6)])
        #expect(lines < 14)
    }

    /// With a second name, who has the old file open could not tell that it is the old one.
    @Test func aFileWithTwoNamesIsLeftAlone() throws {
        let one = try open(), other = try open()
        #expect(one.add(label(1)))
        #expect(link(state.path + "/labels", state.path + "/backup") == 0)
        for born: UInt64 in 1...30 { #expect(one.add(label(2, born: born))) }
        #expect(lines == 31 && other.add(label(3)) && one.of(device: 7, inode: 3) == [label(3)])
    }

    /// A writer that was killed in the middle leaves half a file beside, or half a line.
    @Test func halfADeedIsNone() throws {
        let labels = try open()
        #expect(labels.add(label(1)))
        let half = Glibc.open(state.path + "/labels.new", O_WRONLY | O_CREAT, mode_t(0o600))
        #expect(write(half, "7\t9\t1\t1\tpii", 11) == 11)
        close(half)
        let file = Glibc.open(state.path + "/labels", O_WRONLY | O_APPEND)
        #expect(write(file, "7\t8\t1", 5) == 5)
        close(file)
        for born: UInt64 in 1...20 { #expect(labels.add(label(2, born: born))) }
        let known = try open()
        #expect((1...9).map { known.of(device: 7, inode: $0).count } == [1, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(access(state.path + "/labels.new", F_OK) != 0)
    }

    /// Several write, each on its own, while the file is written anew again and again: nothing is lost.
    @Test func nothingIsLostMeanwhile() throws {
        let state = state
        onThreads(4) { thread in
            let base = UInt64(thread) * 1000
            guard let labels = try? FileLabels(in: state, fewLines: 4) else { return }
            for number: UInt64 in 1...120 {
                _ = labels.add(label(base + number))
                for born in number * 4..<number * 4 + 4 { _ = labels.add(label(base + 999, born: born)) }
            }
        }
        let labels = try open()
        for thread: UInt64 in 0..<4 {
            for number: UInt64 in 1...120 { #expect(labels.of(device: 7, inode: thread * 1000 + number).count == 1, "\(thread) \(number)") }
            #expect(labels.of(device: 7, inode: thread * 1000 + 999).contains(label(thread * 1000 + 999, born: 483)))
        }
        #expect(lines < 4 * 120 * 5)
    }
}
