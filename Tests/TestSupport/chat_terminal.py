"""Types into `swiftlet chat` on a terminal of its own, and says what came back, as JSON.

usage: chat_terminal.py PROGRAM MODEL FOLDER
"""
import json, os, pty, re, select, signal, sys, time

PROGRAM, MODEL, FOLDER = sys.argv[1:4]
RESULT = {}


class Terminal:
    def __init__(self, *arguments):
        self.output = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", XDG_STATE_HOME=FOLDER, LC_ALL="C.UTF-8")
            os.execv(PROGRAM, [PROGRAM, "chat", "-m", MODEL, "--temperature", "0", *arguments])

    def wait(self, text, seconds=60):
        """What comes up to `text`; SystemExit where it does not come."""
        end = time.monotonic() + seconds
        while text not in self.output:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready: sys.exit(f"{text!r} did not come, only {self.output[-500:]!r}")
            try: data = os.read(self.fd, 4096)
            except OSError: data = b""
            if not data: sys.exit(f"the end came before {text!r}: {self.output[-500:]!r}")
            self.output += data.decode(errors="replace")
        before, self.output = self.output.split(text, 1)
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", before).replace("\r", "")

    def type(self, text): os.write(self.fd, text.encode())

    def end(self):
        """The exit code."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.1)[0]:
                try: os.read(self.fd, 4096)
                except OSError: pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid: return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit("the program did not end")


def main():
    chat = Terminal("-n", "30")
    chat.wait(">>> ")
    # Editing: a wrong letter, taken back; then a reply.
    chat.type("What is the capital of Francx\x7fe?\r")
    RESULT["reply"] = chat.wait(">>> ")
    # Several lines pasted at once are one message.
    chat.type("Here are two words:\rred\rblue\r")
    RESULT["pasted"] = chat.wait(">>> ")
    chat.type("/save " + FOLDER + "/talk.json\r")
    chat.wait("saved")
    chat.wait(">>> ")
    chat.type("/save " + MODEL + "\r")
    RESULT["refused"] = chat.wait(">>> ")
    chat.type("/stats\r")
    RESULT["stats"] = chat.wait(">>> ")
    chat.type("/nothing\r")
    RESULT["unknown"] = chat.wait(">>> ")
    # Ctrl-C on an empty line does not leave.
    RESULT["interrupted"] = []
    for typed in ("\x03", "some text\x03"):
        time.sleep(0.5)
        chat.type(typed)
        RESULT["interrupted"].append(chat.wait(">>> "))
    time.sleep(0.5)
    chat.type("/help\r")
    RESULT["help"] = chat.wait("leave, as Ctrl-D")
    chat.wait(">>> ")
    # The editor asks for single characters only once the prompt is there; before, an end is one of an empty line.
    time.sleep(0.5)
    chat.type("\x04")
    RESULT["code"] = chat.end()

    # A long reply is stopped, and the conversation goes on.
    chat = Terminal()
    chat.wait(">>> ")
    chat.type("Write a very long story about a king, with ten chapters.\r")
    chat.wait("chapters.")
    time.sleep(0.2)
    started = time.monotonic()
    chat.type("\x03")
    RESULT["stopped"] = "stopped" in chat.wait(">>> ")
    RESULT["stop_seconds"] = time.monotonic() - started
    # The line before this one, from the history; it is not sent.
    chat.type("\x1b[A")
    time.sleep(0.3)
    chat.type("\x15/load " + FOLDER + "/talk.json\r")
    RESULT["loaded"] = chat.wait(" messages")
    chat.wait(">>> ")
    chat.type("/reset\r")
    chat.wait(">>> ")
    chat.type("/exit\r")
    RESULT["second_code"] = chat.end()
    with open(FOLDER + "/talk.json") as f: RESULT["saved"] = json.load(f)
    with open(FOLDER + "/swiftlet/chat_history") as f: RESULT["history"] = f.read()
    RESULT["history_mode"] = os.stat(FOLDER + "/swiftlet/chat_history").st_mode & 0o777
    print(json.dumps(RESULT))


if __name__ == "__main__": main()
