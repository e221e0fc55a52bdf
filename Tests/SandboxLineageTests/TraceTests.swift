import SandboxLineage
import Testing

/// What follows from what: each line of the rules once with an edge, and once without.
@Suite struct TraceTests {
    private let graph = MemoryGraph()

    /// Process 1 reads `/in`, then does something to `object`.
    private func reads(_ object: String, _ relations: Relations, until: UInt64? = nil) {
        graph.start(1, until: until)
        graph.access(1, "/in", .read, 1)
        graph.access(1, object, relations, 2)
    }

    @Test func aFileComesOfWhatItsWriterRead() {
        reads("/out", .wrote)
        graph.start(2)
        graph.access(2, "/other", .read, 1)
        #expect(graph.reach(.upstream, "/out") == ["#1", "/in"])
        #expect(graph.reach(.downstream, "/in") == ["#1", "/out"])
        #expect(graph.reach(.upstream, "/in") == [])
        #expect(graph.reach(.downstream, "/other") == ["#2"])
    }

    @Test func aReaderGetsWhatWasThereWhenItOpened() {
        reads("/middle", .wrote, until: 10)
        graph.access(1, "/late", .read, 8)
        graph.start(2)
        graph.access(2, "/middle", .read, 5)
        graph.access(2, "/out", .wrote, 6)
        graph.start(3)
        graph.access(3, "/middle", .wrote, 7)
        graph.access(3, "/afterwards", .read, 7)
        #expect(graph.reach(.upstream, "/out") == ["#2", "/middle", "#1", "/in"])
        #expect(graph.reach(.upstream, "/middle") == ["#1", "/in", "/late", "#3", "/afterwards"])
        // `#2` had read it before `#3` wrote.
        #expect(graph.reach(.downstream, "/afterwards") == ["#3", "/middle"])
    }

    @Test func aProcessHasWhatItsParentHadWhenItBegan() {
        graph.start(1)
        graph.access(1, "/before", .read, 1)
        graph.start(2, parent: 1, at: 5)
        graph.access(1, "/after", .read, 6)
        graph.access(2, "/out", .wrote, 7)
        #expect(graph.reach(.upstream, "/out") == ["#2", "#1", "/before"])
        #expect(graph.reach(.downstream, "/before") == ["#1", "#2", "/out"])
        #expect(graph.reach(.downstream, "/after") == ["#1"])
    }

    /// A shell and its children, the first of which has one end of a pipe.
    private func shell(_ children: ClosedRange<UInt32>, holds: Relations) {
        graph.start(1)
        for child in children { graph.start(child, parent: 1, at: 1) }
        graph.access(children.lowerBound, "pipe:1", holds.union(.held), 2)
    }

    @Test func aPipelineIsJoinedByItsPipes() {
        shell(2...4, holds: .wrote)
        graph.access(3, "pipe:1", [.read, .held], 2)
        graph.access(2, "/in", .read, 9)
        graph.access(3, "/out", .wrote, 3)
        graph.access(4, "/else", .wrote, 10)
        #expect(graph.reach(.upstream, "/out") == ["#3", "#1", "pipe:1", "#2", "/in"])
        #expect(graph.reach(.downstream, "/in") == ["#2", "pipe:1", "#3", "/out"])
        #expect(!graph.reach(.upstream, "/else").contains("/in"))
    }

    @Test func aPipeThatNoProgramReadsIsReadByWhoMadeIt() {
        graph.start(1)
        graph.start(2, parent: 1, at: 1, forkOnly: true)  // $( … )
        graph.start(3, parent: 2, at: 2)
        graph.access(3, "pipe:1", [.wrote, .held], 2)
        graph.access(3, "/in", .read, 3)
        graph.access(1, "/out", .wrote, 5)
        #expect(graph.reach(.upstream, "/out").isSuperset(of: ["pipe:1", "#3", "/in"]))
        #expect(graph.reach(.downstream, "/in").contains("/out"))
    }

    @Test func aPipeThatNoProgramWritesIsWrittenByWhoMadeIt() {
        shell(2...2, holds: .read)
        graph.access(1, "/in", .read, 1)
        graph.access(2, "/out", .wrote, 3)
        graph.access(1, "/later", .read, 4)
        #expect(graph.reach(.upstream, "/out").isSuperset(of: ["pipe:1", "/in", "/later"]))
        #expect(graph.reach(.downstream, "/later") == ["#1", "pipe:1", "#2", "/out"])
    }

    @Test func whoWasForkedMayWriteWhatWasOpenThen() {
        graph.start(1)
        graph.access(1, "/out", .wrote, 1)
        graph.start(2, parent: 1, at: 2, forkOnly: true)
        graph.access(2, "/in", .read, 3)
        graph.start(3, parent: 1, at: 2)
        graph.access(3, "/ran", .read, 3)
        #expect(graph.reach(.upstream, "/out") == ["#1", "#2", "/in"])
        #expect(graph.reach(.downstream, "/in") == ["#1", "#2", "/out"])
        #expect(graph.reach(.downstream, "/ran") == ["#3"])
    }

    /// Who reads from a FIFO opens it first.
    @Test func whatComesOutOfAFIFOWasPutInLater() {
        graph.start(1)
        graph.access(1, "/fifo", .created, 1)
        graph.start(2, until: 9)
        graph.access(2, "/fifo", [.read, .fifo], 2)
        graph.access(2, "/out", .wrote, 2)
        graph.start(3)
        graph.access(3, "/fifo", [.wrote, .fifo], 3)
        graph.access(3, "/in", .read, 4)
        // Not by then any more.
        graph.start(4)
        graph.access(4, "/fifo", [.wrote, .fifo], 10)
        graph.access(4, "/late", .read, 10)
        #expect(graph.reach(.upstream, "/out") == ["#2", "/fifo", "#1", "#3", "/in"])
        #expect(graph.reach(.downstream, "/in") == ["#3", "/fifo", "#2", "/out"])
        #expect(graph.reach(.downstream, "/late") == ["#4", "/fifo"])
    }

    /// Workers that were forked give back what they have read, and take what is read for them: by what, is on no record.
    @Test func onesForksMayHaveWhatOneHas() {
        graph.start(1)
        graph.start(2, parent: 1, at: 1, until: 5, forkOnly: true)
        graph.start(3, parent: 2, at: 2, forkOnly: true)
        graph.start(4, parent: 1, at: 2, forkOnly: true)
        graph.access(2, "/in", .read, 3)
        graph.access(1, "/out", .wrote, 4)
        graph.access(3, "/copy", .wrote, 4)
        graph.access(1, "/late", .read, 8)
        // A program of its own has nothing to do with it; nor has what came to be before.
        graph.start(5, parent: 1, at: 2)
        graph.access(5, "/other", .read, 3)
        #expect(graph.reach(.upstream, "/out").isSuperset(of: ["#1", "#2", "/in"]))
        #expect(graph.reach(.upstream, "/copy").isSuperset(of: ["#3", "#1", "#2", "/in", "/late"]))
        #expect(graph.reach(.upstream, "/out").isDisjoint(with: ["/other", "#4"]))
        #expect(graph.reach(.downstream, "/in") == ["#2", "#1", "/out", "#3", "/copy"])
        #expect(graph.reach(.downstream, "/late").isDisjoint(with: ["#2"]))
        #expect(graph.reach(.downstream, "/other") == ["#5"])
    }

    /// A loop of subshells that read the same.
    @Test func ofManyForksThoseAreShownThatMatter() {
        graph.start(1)
        for serial: UInt32 in 2...100 {
            graph.start(serial, parent: 1, at: UInt64(serial), until: UInt64(serial), forkOnly: true)
            graph.access(serial, "/in", .read, UInt64(serial))
            if serial == 30 { graph.access(serial, "/once", .read, 30) }
        }
        graph.access(1, "/out", .wrote, 150)
        #expect(graph.reach(.upstream, "/out") == ["#1", "#100", "/in", "#30", "/once"])
        // By then the one hundredth had not been there.
        graph.start(200, parent: 1, at: 60)
        graph.access(200, "/copy", .wrote, 61)
        #expect(graph.reach(.upstream, "/copy") == ["#200", "#1", "#60", "/in", "#30", "/once"])
    }

    @Test func bothSidesOfALocalConnectionGetWhatTheOtherHad() {
        reads("127.0.0.1:80", .bound, until: 9)
        graph.start(2)
        graph.access(2, "127.0.0.1:80", .connected, 3)
        graph.access(2, "/out", .wrote, 4)
        graph.start(3)
        graph.access(3, "127.0.0.1:80", .connected, 12)
        #expect(graph.reach(.upstream, "/out") == ["#2", "127.0.0.1:80", "#1", "/in"])
        #expect(graph.reach(.downstream, "/in") == ["#1", "127.0.0.1:80", "#2", "/out"])
    }

    @Test func whoTalksToTheSameHostIsNotJoinedByThat() {
        for serial: UInt32 in [1, 2] {
            graph.start(serial)
            graph.access(serial, "/in\(serial)", .read, 1)
            graph.access(serial, "10.0.0.1:80", .connected, 2)
            graph.access(serial, "/out\(serial)", .wrote, 3)
        }
        #expect(graph.reach(.upstream, "/out1") == ["#1", "/in1", "10.0.0.1:80"])
        #expect(graph.reach(.upstream, "10.0.0.1:80") == ["#1", "/in1", "#2", "/in2"])
    }

    @Test func devicesJoinNobody() {
        reads("/dev/null", .wrote)
        graph.start(2)
        graph.access(2, "/dev/null", .read, 3)
        graph.access(2, "/out", .wrote, 4)
        #expect(graph.reach(.upstream, "/out") == ["#2", "/dev/null"])
    }

    @Test func circlesAndLimitsEnd() {
        graph.start(1)
        graph.start(2)
        graph.access(1, "/a", [.read, .wrote], 1, last: 9)
        graph.access(1, "/b", [.read, .wrote], 1, last: 9)
        graph.access(2, "/b", [.read, .wrote], 1, last: 9)
        graph.access(2, "/c", .read, 2)
        #expect(graph.reach(.upstream, "/a") == ["#1", "#2", "/b", "/c"])
        var limits = TraceLimits()
        limits.depth = 1
        #expect(graph.reach(.upstream, "/a", limits) == ["#1"])
        limits = TraceLimits()
        limits.nodes = 3
        let answer = Trace.follow(.upstream, from: [.object(graph.object("/a"))], in: graph, limits: limits)
        #expect(answer.isCut && answer.nodes.count == 3)
        limits = TraceLimits()
        limits.since = 3
        #expect(graph.reach(.upstream, "/a", limits) == ["#1", "#2", "/b"])
    }

    /// A thousand programs that have all read, and written to, the same files: what is looked at has a bound, and what is left out
    /// at a node is said.
    @Test(arguments: [Direction.upstream, .downstream]) func whatIsLookedAtHasABound(direction: Direction) {
        for serial: UInt32 in 1...1000 {
            graph.start(serial, parent: serial == 1 ? nil : 1, at: 1)
            for file in 0..<60 { graph.access(serial, "/\(file)", file % 2 == 0 ? .read : .wrote, 2, last: 9) }
            graph.access(serial, "127.0.0.1:80", serial % 2 == 0 ? .bound : .connected, 3, last: 9)
        }
        var limits = TraceLimits()
        (limits.nodes, limits.flows, limits.edges, limits.rows) = (500, 800, 40, 3000)
        let root = NodeID.object(graph.object(direction == .upstream ? "/1" : "/0"))
        let answer = Trace.follow(direction, from: [root], in: graph, limits: limits)
        #expect(answer.isCut && answer.more[root] == 960)
        #expect(answer.nodes.count <= 500 && answer.flows.count <= 800)
        // What was asked for last is looked at no more.
        #expect(graph.given <= 3000 + 1000)
        let known = Set(answer.nodes.map(\.id))
        #expect(answer.flows.allSatisfy { known.contains($0.from) && known.contains($0.to) })
    }
}
