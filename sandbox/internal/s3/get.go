package s3

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// getObject answers GET and HEAD.
func (q *request) getObject(w http.ResponseWriter) (err error) {
	if err := q.onlyVersion("GetObjectVersion"); err != nil {
		return err
	}
	if err := q.allows(q.name, access.Get, q.key); err != nil {
		return err
	}
	number, err := q.partNumber()
	if err != nil {
		return err
	}
	r, err := q.h.cfg.Objects.Open(q.Context(), q.name, q.key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	o := r.Object
	if err := conditions(q.Header, "", o); err != nil {
		if err == notModified {
			w.Header().Set("ETag", o.ETag)
			w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
		}
		return err
	}
	s := section{0, o.Size, false}
	if number > 0 {
		s, err = partSection(o, number)
	} else {
		s, err = rangeSection(q.Header.Get("Range"), o.Size)
	}
	if err != nil {
		return err
	}
	q.setAnswer(w.Header(), o, number, s)
	if s.partial {
		w.WriteHeader(http.StatusPartialContent)
	} else {
		w.WriteHeader(http.StatusOK)
	}
	if q.Method == http.MethodHead {
		return nil
	}
	if err := r.WriteTo(w, s.from, s.size); err != nil {
		if q.Context().Err() == nil {
			q.h.cfg.Logger.WarnContext(q.Context(), "sandbox: S3 broke off an answer", "error", err)
		}
		panic(http.ErrAbortHandler) // the caller must not take what has come for the whole
	}
	return nil
}

// setAnswer sets the headers of an answer with a section of an object, which is the part with that
// number unless number is 0.
func (q *request) setAnswer(header http.Header, o *objects.Object, number int, s section) {
	setObject(header, o)
	for _, name := range overrides {
		if value := q.query.Get("response-" + name); value != "" {
			header.Set(name, value)
		}
	}
	// Browsers show PDF files in no sandbox, and those do not act. Browsers take the last one of
	// several types, so that another word in the header may make a page of the object.
	if header.Get("Content-Type") == "application/pdf" {
		header.Del("Content-Security-Policy")
	}
	if strings.EqualFold(q.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		setChecksum(header, checksumOf(o, number, s))
	}
	if number > 0 && o.Multipart {
		header.Set("X-Amz-Mp-Parts-Count", fmt.Sprint(len(o.Parts)))
	}
	if s.partial {
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", s.from, s.from+s.size-1, o.Size))
	}
	header.Set("Content-Length", fmt.Sprint(s.size))
}

// checksumOf returns the checksum of a part of an object, if number is not 0, or of a section, if
// that has all bytes. It is the zero value if there is none.
func checksumOf(o *objects.Object, number int, s section) objects.Checksum {
	switch {
	case number > 0 && o.Multipart:
		if sum := o.Parts[number-1].Checksum; sum.Algorithm == o.Checksum.Algorithm {
			sum.Type = o.Checksum.Type // as the headers say it of the object
			return sum
		}
	case s.size == o.Size:
		return o.Checksum
	}
	return objects.Checksum{}
}

// overrides are the headers of an answer that a parameter of the request can set.
var overrides = []string{
	"cache-control", "content-disposition", "content-encoding", "content-language", "content-type",
	"expires",
}

// onlyVersion refuses a request about a version of the object, unless it is the only one.
func (q *request) onlyVersion(action string) error {
	if !q.query.Has("versionId") {
		return nil
	}
	return q.checkVersion(action, q.query.Get("versionId"))
}

// checkVersion refuses to do something with a version of an object, unless it is the only one.
func (q *request) checkVersion(action, version string) error {
	if err := q.adminOnly(action); err != nil {
		return err
	}
	if version != "null" {
		return invalidArgument("versionId", version, "Invalid version id specified")
	}
	return nil
}

// setObject sets the headers that describe an object.
func setObject(header http.Header, o *objects.Object) {
	for name, value := range o.Header {
		if name != tagging {
			header.Set(name, value)
		}
	}
	setTagCount(header, o)
	header.Set("ETag", o.ETag)
	header.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	header.Set("Accept-Ranges", "bytes")
	header.Set("X-Amz-Storage-Class", "STANDARD")
}

// partNumber returns the part that is asked for, or 0.
func (q *request) partNumber() (int, error) {
	text := q.query.Get("partNumber")
	if text == "" {
		return 0, nil
	}
	n, err := parsePartNumber(text)
	if err == nil && q.Header.Get("Range") != "" {
		return 0, invalidRequest("Cannot specify both Range header and partNumber query parameter")
	}
	return n, err
}

// section is what is asked for of an object.
type section struct {
	from, size int64
	partial    bool
}

func partSection(o *objects.Object, number int) (section, error) {
	if number > len(o.Parts) {
		return section{}, newError(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber",
			"The requested partnumber is not satisfiable.",
			"ActualPartCount", fmt.Sprint(len(o.Parts)), "PartNumberRequested", fmt.Sprint(number))
	}
	var s section
	for _, p := range o.Parts[:number-1] {
		s.from += p.Size
	}
	s.size = o.Parts[number-1].Size
	s.partial = s.size > 0
	return s, nil
}

// rangeSection reads the header Range. As S3 does, it ignores what has another form than one range.
func rangeSection(header string, size int64) (section, error) {
	whole := section{0, size, false}
	text, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !found || !dash {
		return whole, nil
	}
	unsatisfiable := newError(http.StatusRequestedRangeNotSatisfiable, "InvalidRange",
		"The requested range is not satisfiable",
		"RangeRequested", header, "ActualObjectSize", fmt.Sprint(size))
	if first == "" {
		n, ok := parseOffset(last)
		switch {
		case !ok || n > 0 && size == 0:
			return whole, nil
		case n == 0:
			return whole, unsatisfiable
		}
		n = min(n, size)
		return section{size - n, n, true}, nil
	}
	from, ok := parseOffset(first)
	to := size - 1
	if last != "" && ok {
		to, ok = parseOffset(last)
	}
	switch {
	case !ok || last != "" && to < from:
		return whole, nil
	case from >= size:
		return whole, unsatisfiable
	}
	to = min(to, size-1)
	return section{from, to - from + 1, true}, nil
}

// parseOffset reads a number without a sign.
func parseOffset(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil
}

// conditions checks the conditional headers of a read, whose names begin
// with prefix (RFC 9110 §13.2.2). Those of a copy fail in one way only.
func conditions(header http.Header, prefix string, o *objects.Object) error {
	get := func(name string) string { return header.Get(prefix + name) }
	unchanged := notModified
	if prefix != "" {
		unchanged = preconditionFailed(prefix + "If-None-Match")
	}
	modified := o.Modified.Truncate(time.Second)
	if match := get("If-Match"); match != "" {
		if !matchesETag(match, o.ETag) {
			return preconditionFailed(prefix + "If-Match")
		}
	} else if t, err := http.ParseTime(get("If-Unmodified-Since")); err == nil &&
		modified.After(t) {
		return preconditionFailed(prefix + "If-Unmodified-Since")
	}
	if none := get("If-None-Match"); none != "" {
		if matchesETag(none, o.ETag) {
			return unchanged
		}
	} else if t, err := http.ParseTime(get("If-Modified-Since")); err == nil && !modified.After(t) {
		return unchanged
	}
	return nil
}

// matchesETag tells whether a list of entity tags has that one. Quotes may be missing.
func matchesETag(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}
