import Testing
@testable import SandboxLineage

/// What `proc.exec_downloaded` rests on, where there is little room for it. Real programs: `DownloadTests`.
@Suite struct DownloadGraphTests {
    private func file(_ number: Int) -> DownloadGraph.Node { .file(device: 1, inode: UInt64(number)) }

    /// Process 1 starts 2, which writes so many files.
    private func graph(writing count: Int, connects: Bool) -> DownloadGraph {
        var graph = DownloadGraph(mostLinks: 1024)
        graph.became(1, reads: [], writes: [])
        graph.started(2, parent: 1)
        graph.became(2, reads: [], writes: [])
        for number in 0..<count { graph.opened(file(number), by: 2, reads: false, writes: true, isNew: true) }
        if connects { _ = graph.connects(2, by: 7) }
        return graph
    }

    @Test(arguments: [true, false]) func oneThatWritesManyFilesLeavesRoom(connects: Bool) {
        var graph = graph(writing: 20_000, connects: connects)
        #expect(!graph.isFull)
        for number in [0, 1, 1023, 1024, 19_999] { #expect(graph.origin(of: [file(number)]).sockets == (connects ? [7] : [])) }
        // What others write is told apart, and so is what nobody wrote.
        graph.started(3, parent: 1)
        graph.became(3, reads: [], writes: [file(50_000)])
        for number in 50_000..<50_100 { #expect(graph.origin(of: [file(number)]).sockets == []) }
        // It gives more, and ends.
        graph.opened(file(60_000), by: 2, reads: false, writes: true, isNew: true)
        graph.ended(2)
        for number in [0, 19_999, 60_000] { #expect(graph.origin(of: [file(number)]).sockets == (connects ? [7] : [])) }
    }

    /// However many do so, one after the other and at once.
    @Test func manyThatWriteManyFilesLeaveRoom() {
        var graph = graph(writing: 2_000, connects: true)
        for program in 3..<43 as Range<UInt32> {
            graph.started(program, parent: 1)
            graph.became(program, reads: [], writes: [])
            for number in 0..<2_000 {
                graph.opened(file(Int(program) * 10_000 + number), by: program, reads: false, writes: true, isNew: true)
            }
            if program % 2 == 0 { graph.ended(program) }
        }
        #expect(!graph.isFull && graph.origin(of: [file(1_999)]).sockets == [7])
        #expect(graph.origin(of: [file(31_500)]).sockets == [])
        // One of those that still run is connected now.
        _ = graph.connects(5, by: 9)
        #expect(graph.origin(of: [file(50_000), file(51_999)]).sockets.contains(9))
    }

    /// A copy of one of very many.
    @Test func whatIsMadeOfOneOfThemCounts() {
        var graph = graph(writing: 5_000, connects: true)
        graph.started(3, parent: 1)
        graph.became(3, reads: [file(4_321)], writes: [])
        graph.opened(file(90_000), by: 3, reads: false, writes: true, isNew: true)
        graph.ended(3)
        #expect(graph.origin(of: [file(90_000)]).sockets == [7])
    }

    /// Where nothing stands out there is nothing to gather: then everything counts.
    @Test func manySmallOnesFillIt() {
        var graph = DownloadGraph(mostLinks: 1024)
        graph.became(1, reads: [], writes: [])
        for program in 2..<2_000 as Range<UInt32> {
            graph.started(program, parent: 1)
            graph.became(program, reads: [], writes: [file(Int(program))])
            _ = graph.connects(program, by: UInt64(program))
        }
        #expect(graph.isFull)
    }
}
