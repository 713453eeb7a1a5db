package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"
)

// reporter tells what goes on: the results of a command on standard output, what happens meanwhile
// on standard error. As JSON, both are records of the log.
type reporter struct {
	json bool
	out  io.Writer
	log  *slog.Logger
}

func newReporter(format string) *reporter {
	if format == "json" {
		return &reporter{json: true, log: slog.New(slog.NewJSONHandler(os.Stderr, nil))}
	}
	options := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			a.Value = slog.StringValue(a.Value.Time().Format(time.TimeOnly))
		}
		return a
	}}
	return &reporter{out: os.Stdout, log: slog.New(slog.NewTextHandler(os.Stderr, options))}
}

// fact is something worth knowing: a name for programs, one for people, and the value.
type fact struct {
	key, label, value string
}

// announce tells facts under a title.
func (r *reporter) announce(title string, facts []fact) {
	if r.json {
		var attrs []slog.Attr
		for _, f := range facts {
			attrs = append(attrs, slog.String(f.key, f.value))
		}
		r.log.LogAttrs(context.Background(), slog.LevelInfo, title, attrs...)
		return
	}
	fmt.Fprintf(r.out, "\n%s\n\n", title)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	for _, f := range facts {
		fmt.Fprintf(w, "  %s\t%s\n", f.label, f.value)
	}
	w.Flush()
	fmt.Fprintln(r.out)
}

// hint tells people, and only them, what to do.
func (r *reporter) hint(text string) {
	if !r.json {
		fmt.Fprintf(r.out, "%s\n\n", text)
	}
}
