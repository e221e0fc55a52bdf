// Calls by number, and what is known to every process by a key, an id or a name: sysvipc(7), mq_overview(7).
#include "guest.h"
#include <linux/futex.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

struct message { long type; char text[8]; };
static const struct message secret = {1, "SECRET"};

static key_t some_key(int n) { return (key_t)(0x53420000u ^ (unsigned)getpid() << 4 ^ (unsigned)n); }

static void shared_memory(void) {
    key_t key = some_key(1);
    int own = shmget(IPC_PRIVATE, 4096, 0600), id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    result("private", own), result("made", id);
    result("made again", shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
    say("found by its key: %d, or made: %d", shmget(key, 0, 0) == id, shmget(key, 4096, IPC_CREAT | 0600) == id);
    result("found, larger", shmget(key, 1 << 20, 0)), result("of no size", shmget(some_key(2), 0, IPC_CREAT | 0600));
    result("nobody's key", shmget(some_key(3), 4096, 0)), result("no id", shmctl(-1, IPC_STAT, NULL));
    char *memory = shmat(own, NULL, 0);
    result("attached", memory == (char *)-1 ? -1 : 0);
    if (fork() == 0) { strcpy(memory, "shared"), _exit(0); }
    wait(NULL);
    struct shmid_ds about;
    result("looked at", shmctl(own, IPC_STAT, &about));
    say("holds \"%s\", %d attached, %zu bytes, mine: %d", memory, (int)about.shm_nattch, about.shm_segsz, about.shm_perm.uid == geteuid());
    about.shm_perm.mode = 0640;
    result("changed", shmctl(own, IPC_SET, &about)), result("detached", shmdt(memory));
    result("removed", shmctl(own, IPC_RMID, NULL)), result("removed", shmctl(id, IPC_RMID, NULL));
    result("no longer there", shmget(key, 4096, 0));
}

static void semaphores(void) {
    int id = semget(some_key(4), 2, IPC_CREAT | IPC_EXCL | 0600), status;
    struct sembuf up = {1, 1, 0}, down = {1, -1, 0}, now_or_never = {0, -1, IPC_NOWAIT};
    result("semaphores", id), say("found: %d", semget(some_key(4), 2, 0) == id);
    result("set", semctl(id, 0, SETVAL, 0)), result("nothing to take", semop(id, &now_or_never, 1));
    pid_t child = fork();
    if (child == 0) _exit(semop(id, &down, 1) == 0 ? 7 : 8);
    result("given", semop(id, &up, 1));
    waitpid(child, &status, 0), say_status("the other took it", status);
    say("left: %d", semctl(id, 1, GETVAL));
    struct timespec moment = {0, 1000000};
    result("none within a moment", semtimedop(id, &down, 1, &moment));
    result("removed", semctl(id, 0, IPC_RMID)), result("no longer there", semop(id, &up, 1));
}

static void queues(void) {
    int id = msgget(some_key(5), IPC_CREAT | 0600), status;
    struct message got = {0};
    result("queue", id), say("found: %d", msgget(some_key(5), 0) == id);
    result("empty", msgrcv(id, &got, sizeof got.text, 0, IPC_NOWAIT));
    pid_t child = fork();
    if (child == 0) _exit(msgrcv(id, &got, sizeof got.text, 0, 0) == sizeof got.text && !strcmp(got.text, "SECRET") ? 7 : 8);
    result("sent", msgsnd(id, &secret, sizeof secret.text, 0));
    waitpid(child, &status, 0), say_status("received", status);
    result("removed", msgctl(id, IPC_RMID, NULL)), result("no longer there", msgsnd(id, &secret, sizeof secret.text, IPC_NOWAIT));
}

static void catch_nothing(int number) { (void)number; }

/// What waits by itself, without being judged, is ended by a signal as always.
static void interrupted(void) {
    struct sigaction action = {.sa_handler = catch_nothing};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {{0, 2000000}, {0, 2000000}};
    struct flock lock = {.l_type = F_WRLCK};
    char block[4096] = "";
    int pair[2], ready[2], file = open("locked", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    timer_t timer;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(ready) < 0) die("socketpair");
    while (send(pair[0], block, sizeof block, MSG_DONTWAIT) > 0) {}
    pid_t child = fork();
    if (child == 0) { fcntl(file, F_SETLKW, &lock), close(ready[1]); for (;;) pause(); }
    close(ready[1]);
    if (read(ready[0], block, 1) != 0) die("child");
    sigaction(SIGUSR1, &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 || timer_settime(timer, 0, &often, NULL) < 0) die("timer");
    result("send into a full socket", send(pair[0], block, sizeof block, 0));
    result("a lock that is held", fcntl(file, F_SETLKW, &lock));
    timer_delete(timer);
    kill(child, SIGKILL), waitpid(child, NULL, 0);
}

/// The other end of a terminal by way of this one (TIOCGPTPEER), and what a terminal is asked.
static void terminal(void) {
    char text[8] = "";
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || unlockpt(master) < 0) die("terminal");
    int other = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    result("the other end", other), say("is a terminal: %d %d", isatty(master), isatty(other));
    result("written", write(other, "x", 1)), result("read", read(master, text, sizeof text));
    close(master), close(other);
}

int guest_objects(int argc, char **argv) {
    (void)argc, (void)argv;
    shared_memory(), semaphores(), queues(), interrupted(), terminal();
    return 0;
}

/// Makes one of each, prints `ready KEY SHM SEM MSG NAME`, and waits for the end of its input. Whoever kills it: a companion in
/// a session of its own removes them.
int tool_objects(int argc, char **argv) {
    (void)argc, (void)argv;
    key_t key = some_key(9);
    char name[32], text[16];
    snprintf(name, sizeof name, "/guest-%d", getpid());
    int memory = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0666), semaphore = semget(key, 1, IPC_CREAT | IPC_EXCL | 0666);
    int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0666), ends[2];
    struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
    mqd_t posix = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0666, &small);
    char *at = shmat(memory, NULL, 0);
    // A user has little room for POSIX queues, RLIMIT_MSGQUEUE, and may have used it up.
    if ((posix < 0 && errno != EMFILE) || at == (char *)-1 || semaphore < 0 || queue < 0 || pipe(ends) < 0) die("objects");
    strcpy(at, "SECRET"), msgsnd(queue, &secret, sizeof secret.text, 0);
    if (posix >= 0) mq_send(posix, "SECRET", 7, 0);
    if (fork() == 0) {
        setsid(), close(ends[1]), close(0), close(1), close(2);
        while (read(ends[0], text, 1) > 0) {}
        shmctl(memory, IPC_RMID, NULL), semctl(semaphore, 0, IPC_RMID), msgctl(queue, IPC_RMID, NULL), mq_unlink(name);
        _exit(0);
    }
    say("ready %d %d %d %d %s", key, memory, semaphore, queue, name);
    return read(0, text, sizeof text) < 0;
}

int attack_objects(int argc, char **argv) {
    key_t key = atoi(argument(argc, argv, 1));
    int memory = atoi(argument(argc, argv, 2)), semaphore = atoi(argument(argc, argv, 3)), queue = atoi(argument(argc, argv, 4));
    const char *name = argument(argc, argv, 5);
    struct shmid_ds about;
    struct msqid_ds queued;
    struct message got = {0};
    struct sembuf up = {0, 1, IPC_NOWAIT};
    struct timespec moment = {0, 1000};
    char text[16];
    bool leaked = shmget(key, 0, 0) >= 0 || shmget(key, 4096, IPC_CREAT | 0600) >= 0;
    char *at = shmat(memory, NULL, SHM_RDONLY);
    leaked |= at != (char *)-1 && !strcmp(at, "SECRET");
    leaked |= (at = shmat((int)syscall(SYS_shmget, key, 0, 0), NULL, 0)) != (char *)-1;
    leaked |= syscall(SYS_shmat, 0x500000000 | (unsigned)memory, NULL, SHM_RDONLY) != -1;
    leaked |= shmctl(memory, IPC_STAT, &about) == 0 || shmctl(memory, SHM_LOCK, NULL) == 0;
    leaked |= semget(key, 1, 0) >= 0 || semget(key, 1, IPC_CREAT | 0600) >= 0;
    leaked |= semctl(semaphore, 0, GETVAL) >= 0 || semctl(semaphore, 0, SETVAL, 3) >= 0;
    leaked |= semop(semaphore, &up, 1) == 0 || semtimedop(semaphore, &up, 1, &moment) == 0;
    leaked |= msgget(key, 0) >= 0 || msgget(key, IPC_CREAT | 0600) >= 0 || msgctl(queue, IPC_STAT, &queued) == 0;
    leaked |= msgsnd(queue, &secret, sizeof secret.text, IPC_NOWAIT) == 0;
    leaked |= msgrcv(queue, &got, sizeof got.text, 0, IPC_NOWAIT) > 0;
    mqd_t posix = mq_open(name, O_RDWR | O_NONBLOCK);
    leaked |= posix >= 0 && mq_receive(posix, text, sizeof text, NULL) > 0;
    leaked |= mq_unlink(name) == 0;
    return verdict(leaked);
}

/// `numbers FROM-TO…`: each call with nothing but -1 in its registers, and what it answered. Those that take no argument and
/// end the process, or make another, are the caller's to leave out.
int tool_numbers(int argc, char **argv) {
    signal(SIGALRM, SIG_DFL);
    for (int i = 1; i < argc; i++) {
        int from = 0, to = 0;
        if (sscanf(argv[i], "%d-%d", &from, &to) != 2) die(argv[i]);
        for (int number = from; number <= to; number++) {
            long a = -1, b = -1, c = -1;
            if (number == SYS_futex) b = FUTEX_WAKE;      // ENOSYS is the answer to an unknown operation
            if (number == SYS_msgget) a = some_key(8), b = 0;  // -1 would make one
            errno = 0;
            long rc = syscall(number, a, b, c, -1L, -1L, -1L);
            int error = errno;
            alarm(60);
            say("%d %d", number, rc == -1 ? error : 0);
        }
    }
    return 0;
}
