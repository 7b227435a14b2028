// Command hearken is an omnichannel complaint intake gateway: it reads
// mailboxes, takes calls and texts, holds chats, and puts every complaint,
// numbered and classified, on the stream of the department that answers it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the gateway: channels, dispatcher, and a Redis of its own where none is configured."`
	Demo    demoCmd    `cmd:"" help:"Show everything at work: a whole gateway with a mail server, a carrier and simulated customers."`
	Call    callCmd    `cmd:"" help:"Phone a line from the terminal: read what is said, press keys, speak, hang up."`
	Check   checkCmd   `cmd:"" help:"Check config.yaml and the rules; with --dial also every connection."`
	Rules   rulesCmd   `cmd:"" help:"Work on the routing rules."`
	Tail    tailCmd    `cmd:"" help:"Show records as they come, until interrupted."`
	Show    showCmd    `cmd:"" help:"Show a complaint: its record, where it is, and what happened to it."`
	Update  updateCmd  `cmd:"" help:"Write a department's update: a status and, for the customer, a message."`
	Reroute rerouteCmd `cmd:"" help:"Ask the rules anew about complaints that are routed already."`
	Dead    deadCmd    `cmd:"" help:"Look at what was given up, and try it again."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usage is an error of the command line, for exitUsage.
type usage struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// streams are where a command writes.
type streams struct {
	out, err io.Writer
	tty      bool // out is a terminal that takes colours
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var c cli
	s := &streams{out: out, err: errOut, tty: colourful(out)}
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("hearken"),
		kong.Description("An omnichannel complaint intake gateway. Every complaint by e-mail, phone or chat is kept, numbered, classified and routed; nothing is lost."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(errOut, "hearken:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exit >= 0 { // --help has been served
		return exit
	}
	if err != nil {
		fmt.Fprintf(errOut, "hearken: %v\nSee hearken --help.\n", err)
		return exitUsage
	}
	err = k.Run()
	var u usage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &u):
		fmt.Fprintln(errOut, "hearken:", err)
		return exitUsage
	}
	fmt.Fprintln(errOut, "hearken:", err)
	return exitFailed
}

type versionCmd struct {
	JSON bool `name:"json" help:"As JSON."`
}

func (c versionCmd) Run(s *streams) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]string{"version": version, "go": runtime.Version()})
	}
	_, err := fmt.Fprintln(s.out, "hearken", version)
	return err
}
