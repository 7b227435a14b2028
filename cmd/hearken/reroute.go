package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"text/tabwriter"

	"hearken/complaint"
	"hearken/config"
	"hearken/queue"
)

// rerouteCmd asks the rules anew about complaints that are routed already.
type rerouteCmd struct {
	archive
	Where      string `default:"{}" help:"Which complaints: a condition as in the rules, such as {type: [BILLING]}."`
	Department string `help:"Only those that this department leads."`
	Closed     bool   `help:"Also those whose status says that they are over."`
	By         string `help:"Who asks; your login if left out."`
	Reason     string `help:"Why; the departments read it."`
	DryRun     bool   `help:"Only say what would move where."`
	JSON       bool   `name:"json" help:"As JSON: every complaint that moves."`
}

// over are the statuses of complaints that nobody works at any more.
var over = []string{"resolved", "closed", "rejected", "withdrawn", "settled"}

// rerouted is a complaint that the rules send elsewhere now.
type rerouted struct {
	Number string `json:"number"`
	From   string `json:"from"`
	To     string `json:"to"`
	Rule   string `json:"rule"`
	Asked  bool   `json:"asked"` // the dispatcher has been asked to move it
}

func (c *rerouteCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	rules, err := config.LoadRules(beside(c.Config, cfg.Rules))
	if err != nil {
		return err
	}
	holds, err := rules.Where(c.Where)
	if err != nil {
		return usage{fmt.Errorf("--where: %w", err)}
	}
	if c.By == "" {
		if me, err := user.Current(); err == nil {
			c.By = me.Username
		}
	}
	records, err := c.records(ctx)
	if err != nil {
		return err
	}
	client, err := dialClient(ctx, cfg)
	if err != nil {
		return err
	}
	if running, err := client.RulesInForce(ctx); err == nil && len(running) > 0 && (len(running) > 1 || running[rules.Version] == nil) {
		fmt.Fprintln(s.err, "hearken: warning: running processes have other rules than this file, and theirs decide; hearken check tells which")
	}
	var all []rerouted
	for _, r := range records {
		one, err := c.try(ctx, client, rules, holds, r.Number)
		if err != nil {
			return errors.Join(err, client.Close())
		}
		if one != nil {
			all = append(all, *one)
		}
	}
	return errors.Join(c.print(s, len(records), all), client.Close())
}

// try looks at one complaint, and has it moved if the rules say so; nil where
// it stays.
func (c *rerouteCmd) try(ctx context.Context, client *queue.Client, rules *config.Rules, holds func(*complaint.Record) bool, number string) (*rerouted, error) {
	k, err := client.Complaint(ctx, number)
	if errors.Is(err, queue.ErrUnknownNumber) {
		return nil, nil // forgotten by now
	}
	if err != nil {
		return nil, err
	}
	rec := k.Record
	if k.Again != nil {
		rec = *k.Again
	}
	if k.Route == nil || !holds(&rec) || (c.Department != "" && k.Route.Department != c.Department) || (!c.Closed && slices.Contains(over, k.Status)) {
		return nil, nil
	}
	to := rules.Router.Route(&rec)
	if to.Department == k.Route.Department {
		return nil, nil
	}
	one := &rerouted{Number: k.Number, From: k.Route.Department, To: to.Department, Rule: to.Rule}
	if !c.DryRun {
		one.Asked, err = client.Redirect(ctx, k, c.By, c.Reason)
	}
	return one, err
}

func (c *rerouteCmd) print(s *streams, tried int, all []rerouted) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(append([]rerouted{}, all...))
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for _, one := range all {
		fmt.Fprintf(w, "%s\t%s\t-> %s\tby %s\n", complaint.Grouped(one.Number), one.From, one.To, one.Rule)
	}
	said := "are on their way"
	if c.DryRun {
		said = "would go elsewhere; nothing was moved"
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d complaints looked at, %d %s\n", tried, len(all), said)
	return nil
}
