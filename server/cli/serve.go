package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/demo"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/recovery"
)

// stopWithin is how long a graceful stop waits for the requests under way.
const stopWithin = 15 * time.Second

type serveCommand struct {
	storage
	site
	mailing

	SecurityKeys bool
	InsecureHTTP bool
	TrustedProxy networks
	HelpDir      string
	ChatURL      string

	TOTPWindow               int
	SessionIdle              time.Duration
	SessionLife              time.Duration
	AdministratorSessionIdle time.Duration
	AdministratorSessionLife time.Duration
	RecoveryDelay            time.Duration
	RecoveryApprovals        int

	HashWorkers int
	HashWait    time.Duration

	LogLevel  slog.Level
	LogFormat string
}

func newServe(p program) *cobra.Command {
	var c serveCommand
	cmd := &cobra.Command{Use: "serve", Short: "Start the server.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run)}
	flags := cmd.Flags()
	c.storage.bind(flags)
	c.site.bind(flags)
	flags.BoolVar(&c.SecurityKeys, "security-keys", false, "Let people add security keys (WebAuthn), by the API; needs a public URL with a host name.")
	flags.BoolVar(&c.InsecureHTTP, "insecure-http", false, "Allow plain http on a public URL that is not this machine's loopback.")
	flags.Var(&c.TrustedProxy, "trusted-proxy", "Networks of reverse proxies whose X-Forwarded-For is believed.")

	pathVar(flags, &c.HelpDir, "help-dir", "", "A `folder` of help articles of your own, which come beside the built-in ones or in their place.")
	flags.StringVar(&c.ChatURL, "chat-url", "", "The `URL` of a chat in which people answer; the help links to it.")

	c.mailing.bind(flags)

	flags.IntVar(&c.TOTPWindow, "totp-window", 1, "Steps of 30 seconds accepted before and after now: 1, or 0 for the strictest.")
	flags.DurationVar(&c.SessionIdle, "session-idle", standardLives.Member.Idle, "A member's session ends without use for this long.")
	flags.DurationVar(&c.SessionLife, "session-life", standardLives.Member.Absolute, "A member's session ends after this long.")
	flags.DurationVar(&c.AdministratorSessionIdle, "administrator-session-idle", standardLives.Administrator.Idle, "The same without use, for administrators.")
	flags.DurationVar(&c.AdministratorSessionLife, "administrator-session-life", standardLives.Administrator.Absolute, "The same at the most, for administrators.")

	flags.DurationVar(&c.RecoveryDelay, "recovery-delay", recovery.DefaultDelay, "Who has lost every factor and asks to get back in waits for this long before an administrator can let them: an hour to 14 days.")
	flags.IntVar(&c.RecoveryApprovals, "recovery-approvals", recovery.DefaultApprovals, "How many administrators have to agree: 1 to 5, and as many as there are at the most. For an administrator it is 2 at the least.")

	flags.IntVar(&c.HashWorkers, "hash-workers", 0, "How many argon2id computations run at once; 0 leaves one processor free, and is 8 at most.")
	flags.DurationVar(&c.HashWait, "hash-wait", 5*time.Second, "Who would wait longer than this for one is asked to come back.")

	flags.Var((*level)(&c.LogLevel), "log-level", "debug, info, warn or error.")
	flags.Var(oneOf(&c.LogFormat, "auto", "text", "json"), "log-format", "auto is text on a terminal.")
	settings(flags)
	return cmd
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(p program) (err error) {
	logger := c.logger(p)
	config, err := c.settings(p, logger)
	if err != nil {
		return err
	}
	if demo.IsDemo(c.Data) {
		return fmt.Errorf("%s is the folder of a demo, whose password everybody knows: name another --data, or run secondstep demo", c.Data)
	}
	listener, err := listen(p.ctx, c.Listen)
	if err != nil {
		return err
	}
	face := server.Face{TrustedProxies: c.TrustedProxy, Dist: p.dist}
	if face.PublicURL, face.LoopbackAliases, err = c.publicURL(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if config.Mail, err = c.mailing.settings(face.PublicURL); err != nil {
		return errors.Join(err, listener.Close())
	}
	if c.SecurityKeys {
		if !hasName(face.PublicURL) {
			return errors.Join(misusedf("--security-keys needs a --public-url with a host name, such as http://localhost:8080: browsers have no security keys for an address of numbers"), listener.Close())
		}
		config.SecurityKeys = face.PublicURL
	}
	config.Fixed = c.fixed(face.PublicURL)
	if err := c.makeFolder(); err != nil {
		return errors.Join(err, listener.Close())
	}
	installation, err := server.Open(p.ctx, config)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, installation.Close()) }()
	if err := installation.Database.ClaimServe(); err != nil {
		return errors.Join(err, listener.Close())
	}
	boundMemory(installation.Hashes.Workers(), config.PasswordCost)
	leaveRoom()
	return c.serve(p, logger, installation, face, listener)
}

// boundMemory has Go give memory back before it takes more than the program and its pool need (see hashing.Pool). Without
// it, free memory too scattered for one more argon2id stays beside the new, and nothing would bound what gathers while
// argon2id runs. A lower bound that the environment sets (GOMEMLIMIT) stays.
func boundMemory(workers int, cost hashing.Params) {
	const program = 64 << 20
	debug.SetMemoryLimit(min(debug.SetMemoryLimit(-1), program+int64(2*workers-1)*int64(cost.Memory)<<10))
}

// leaveRoom has Go schedule one thread more than there are processors. A computation of argon2id keeps one to itself for up
// to 10 ms at a time, and the collection of what it leaves behind another; where those are all there are, a request that
// takes a tenth of a millisecond waits for them. The operating system shares processors in smaller pieces. A number that
// the environment sets (GOMAXPROCS) stays.
func leaveRoom() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

func (c *serveCommand) serve(p program, logger *slog.Logger, installation *server.Server, face server.Face, listener net.Listener) error {
	api, err := installation.API(face)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	token, err := installation.SignIn.IssueSetupLink(p.ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := installation.Mail.Announce(p.ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := installation.NotePublicURL(p.ctx, face.PublicURL.String()); err != nil {
		return errors.Join(err, listener.Close())
	}
	logger.Info("serving", "public_url", face.PublicURL.String(), "listen", listener.Addr().String(), "version", p.version)
	if token != "" {
		// In the fragment, so that it reaches no log on its way (contract.md); it is good for an hour.
		fmt.Fprintf(p.out, "Set up the first administrator: %s/setup#token=%s\n", face.PublicURL, token)
	}

	ctx, stop := context.WithCancel(p.ctx)
	var beside sync.WaitGroup // what goes on beside the requests
	beside.Go(func() { installation.Upkeep.Keep(ctx) })
	beside.Go(func() { installation.Mail.Keep(ctx) })
	beside.Go(func() { installation.RollOuts.Keep(ctx) })
	beside.Go(func() { installation.Seals.Keep(ctx) })
	beside.Go(func() { installation.Clock.Keep(ctx) })
	ended := make(chan error, 1)
	go func() { ended <- api.Handler().Listener(listener) }()

	select {
	case err = <-ended:
		err = fmt.Errorf("serving ended: %w", err)
	case <-p.ctx.Done():
		logger.Info("stopping: requests under way are finished")
		graceful, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), stopWithin)
		err = api.Handler().ShutdownWithContext(graceful)
		cancel()
		// Told to stop before it began to accept, Shutdown has found nothing to end; without its listener it ends.
		if closed := listener.Close(); !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
		if err == nil {
			err = <-ended
		}
	}
	stop()
	beside.Wait()
	logger.Info("stopped", "argon2id_runs", installation.Hashes.Runs(), "panics", api.Panics())
	return err
}

func (c *serveCommand) logger(p program) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	terminal := false
	if file, ok := p.errors.(*os.File); ok {
		terminal = isatty.IsTerminal(file.Fd())
	}
	if c.LogFormat == "text" || c.LogFormat == "auto" && terminal {
		return slog.New(slog.NewTextHandler(p.errors, options))
	}
	return slog.New(slog.NewJSONHandler(p.errors, options))
}

func (c *serveCommand) settings(p program, logger *slog.Logger) (server.Config, error) {
	config, err := c.config(p, logger)
	if err != nil {
		return config, err
	}
	if c.TOTPWindow != 0 && c.TOTPWindow != 1 {
		return config, misusedf("--totp-window must be 0 or 1")
	}
	if c.HashWorkers < 0 || c.HashWait <= 0 {
		return config, misusedf("--hash-workers must not be negative, and --hash-wait must be more than nothing")
	}
	if config.ChatURL, err = c.chat(); err != nil {
		return config, err
	}
	if config.Host, err = os.Hostname(); err != nil {
		return config, fmt.Errorf("the name of this machine: %w", err)
	}
	config.HelpFolder = c.HelpDir
	config.TOTPWindow, config.HashWorkers, config.HashWait = c.TOTPWindow, c.HashWorkers, c.HashWait
	config.Sessions.Member.Idle, config.Sessions.Member.Absolute = c.SessionIdle, c.SessionLife
	config.Sessions.Administrator.Idle, config.Sessions.Administrator.Absolute = c.AdministratorSessionIdle, c.AdministratorSessionLife
	for _, life := range []time.Duration{c.SessionIdle, c.AdministratorSessionIdle} {
		if life < 2*time.Minute {
			return config, misusedf("a session must live for 2 minutes without use at the least")
		}
	}
	if c.SessionLife < c.SessionIdle || c.AdministratorSessionLife < c.AdministratorSessionIdle {
		return config, misusedf("--session-life and --administrator-session-life must not be shorter than the time without use")
	}
	if c.RecoveryDelay < recovery.MinDelay || c.RecoveryDelay > recovery.MaxDelay {
		return config, misusedf("--recovery-delay must be an hour at the least and 14 days (336h) at the most")
	}
	if c.RecoveryApprovals < 1 || c.RecoveryApprovals > recovery.MaxApprovals {
		return config, misusedf("--recovery-approvals must be 1 to %d", recovery.MaxApprovals)
	}
	config.Recovery = recovery.Settings{Delay: c.RecoveryDelay, Approvals: c.RecoveryApprovals}
	return config, nil
}

// chat is where people answer: a web page, or empty.
func (c *serveCommand) chat() (string, error) {
	to, err := url.Parse(c.ChatURL)
	if c.ChatURL != "" && (err != nil || to.Host == "" || to.Scheme != "https" && to.Scheme != "http") {
		return "", misusedf("--chat-url must be the address of a web page, such as https://chat.example.org/help")
	}
	return c.ChatURL, nil
}

// publicURL is where browsers reach the server: by https, but for the loopback.
func (c *serveCommand) publicURL(listening net.Addr) (public *url.URL, aliases bool, err error) {
	public, aliases, err = c.public(listening)
	if err != nil {
		return nil, false, err
	}
	if public.Scheme == "http" && !loopback(public.Hostname()) && !c.InsecureHTTP {
		return nil, false, misusedf("--public-url must be https: over plain http passwords and codes can be read on the way (--insecure-http allows it all the same)")
	}
	return public, aliases, nil
}

// hasName reports whether the host of a public URL is a name.
func hasName(public *url.URL) bool {
	_, err := netip.ParseAddr(public.Hostname())
	return err != nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
