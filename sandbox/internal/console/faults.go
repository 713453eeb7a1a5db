package console

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

type faultsPage struct {
	Active     []faults.Active
	Operations []string
	Outcomes   []faults.Outcome
	// Offset is how far the clock is ahead, Now is the time that it shows.
	Offset time.Duration
	Now    time.Time
	Counts []count
}

type count struct {
	Operation string
	Unknown   bool // the operations that the sandbox does not have, together
	Calls     int
}

// Words describes an outcome.
func (faultsPage) Words(o faults.Outcome) string {
	switch o {
	case "":
		return "as usual, after the wait"
	case faults.Throttle:
		return "TooManyRequestsException, status 400"
	case faults.Plain429:
		return "Too Many Requests, status 429"
	case faults.JSON500:
		return "InternalErrorException, status 500"
	case faults.HTML503:
		return "an HTML page, status 503"
	case faults.Drop:
		return "connection broken before the effect"
	case faults.DropAfter:
		return "connection broken after the effect"
	}
	return string(o)
}

// Percent formats a probability.
func (faultsPage) Percent(p float64) string {
	if p == 0 {
		p = 1
	}
	return strconv.FormatFloat(p*100, 'g', 4, 64) + " %"
}

func (h *Handler) faultsPage(*http.Request) (any, error) {
	p := faultsPage{
		Active: h.Faults.List(), Operations: h.Faults.Operations(), Outcomes: faults.Outcomes(),
		Offset: h.Clock.Offset(), Now: h.Clock.Now(),
	}
	if h.Calls != nil {
		counts := h.Calls.Counts()
		for _, operation := range slices.Sorted(maps.Keys(counts)) {
			p.Counts = append(p.Counts, count{
				operation, operation == awsjson.UnknownOperation, counts[operation]})
		}
	}
	return p, nil
}

func (h *Handler) addFault(r *http.Request) (string, error) {
	f := faults.Fault{Operation: r.PostForm.Get("operation"), Outcome: faults.Outcome(r.PostForm.Get("outcome"))}
	latency, err1 := number(r, "latency", 0, 10*60*1000)
	percent, err2 := number(r, "percent", 0.1, 100)
	calls, err3 := number(r, "count", 1, 1_000_000)
	if err := errors.Join(err1, err2, err3); err != nil {
		return "", err
	}
	if f.Outcome == "" && latency == 0 {
		return "", formError{"Choose how the calls end, or how long they wait."}
	}
	f.Latency, f.Probability, f.Count = time.Duration(latency*float64(time.Millisecond)), percent/100, int(calls)
	if _, err := h.Faults.Add(f); err != nil {
		return "", formError{err.Error()}
	}
	return "/console/faults?done=fault", nil
}

// number reads a numeric field. An empty field is zero.
func number(r *http.Request, field string, least, most float64) (float64, error) {
	text := strings.TrimSpace(r.PostForm.Get(field))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= least && n <= most) {
		return 0, formError{fmt.Sprintf("The field %q takes a number from %g to %g.", field, least, most)}
	}
	return n, nil
}

func (h *Handler) removeFault(r *http.Request) (string, error) {
	if id, err := strconv.Atoi(r.PathValue("id")); err == nil {
		h.Faults.Remove(id)
	}
	return "/console/faults?done=unfault", nil
}

func (h *Handler) clearFaults(*http.Request) (string, error) {
	h.Faults.Clear()
	h.Clock.SetOffset(0)
	return "/console/faults?done=clear", nil
}

func (h *Handler) setClock(r *http.Request) (string, error) {
	minutes, err := number(r, "minutes", -10*365*24*60, 10*365*24*60)
	if err != nil {
		return "", err
	}
	h.Clock.SetOffset(time.Duration(minutes * float64(time.Minute)))
	return "/console/faults?done=clock", nil
}

func (h *Handler) resetCalls(*http.Request) (string, error) {
	if h.Calls != nil {
		h.Calls.Reset()
	}
	return "/console/faults?done=reset", nil
}
