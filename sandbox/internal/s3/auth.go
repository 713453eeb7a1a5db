package s3

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
)

const (
	// maxSkew is how far the clocks of a client and S3 may be apart.
	maxSkew = 15 * time.Minute
	// maxExpires is how long a presigned URL may be good for.
	maxExpires = 7 * 24 * time.Hour

	dateFormat = "20060102"
	service    = "s3"
)

// signature is what a request says about its signature.
type signature struct {
	presigned   bool
	accessKeyID string
	token       string
	scope       sigv4.Scope
	time        time.Time
	headers     []string
	value       string
	// payload is the hash of the body, or a word that says how the body is protected.
	payload string
	key     sigv4.Key
}

// authenticate finds out who sent the request, for a bucket in region, and prepares its body.
// Nobody may do anything without a signature.
func (h *Handler) authenticate(q *request, region string) error {
	s, err := h.parseSignature(q)
	if err != nil {
		return err
	}
	if s.scope.Region != region {
		return s.malformed(fmt.Sprintf("the region %q is wrong; expecting %q", s.scope.Region,
			region), "Region", region)
	}
	caller, secret, err := h.cfg.Credentials(q.Request, s.accessKeyID, s.token)
	if err == ErrUnknownKey {
		return newError(ErrUnknownKey.Status, ErrUnknownKey.Code, ErrUnknownKey.Message,
			"AWSAccessKeyId", s.accessKeyID)
	} else if err != nil {
		return err
	}
	if date := s.time.UTC().Format(dateFormat); date != s.scope.Date {
		return s.otherDate(date)
	}
	if !validPayload(s.payload) {
		return invalidArgument("x-amz-content-sha256", s.payload,
			"x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "+
				"STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "+
				"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "+
				"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "+
				"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")
	}
	if err := s.covers(q.Request); err != nil {
		return err
	}
	fromLatin1(q.Header)
	s.key = sigv4.NewKey(secret, s.scope)
	canonical := sigv4.CanonicalRequest(q.Request, sigv4.EscapePath(q.URL.Path), s.headers,
		s.payload)
	toSign, want := s.key.Sign(sigv4.Algorithm, s.time, sigv4.Hash(canonical))
	if !sigv4.Equal(s.value, want) {
		return s.mismatch(toSign, "CanonicalRequest", canonical)
	}
	if s.presigned {
		unhoist(q)
	}
	q.caller = caller
	q.body = &body{signature: s}
	return nil
}

func (h *Handler) parseSignature(q *request) (*signature, error) {
	authorization := q.Header.Get("Authorization")
	switch {
	case q.query.Has("AWSAccessKeyId") && q.query.Has("Signature"):
		return nil, unsupportedMechanism()
	case slices.ContainsFunc([]string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",
		"X-Amz-Expires"}, q.query.Has):
		if authorization != "" {
			return nil, invalidArgument("Authorization", authorization,
				"Only one auth mechanism allowed; only the X-Amz-Algorithm query "+
					"parameter, Signature query string parameter or the Authorization "+
					"header should be specified")
		}
		return h.parsePresigned(q)
	case authorization == "" && q.Method == http.MethodPost &&
		strings.HasPrefix(q.Header.Get("Content-Type"), "multipart/form-data"):
		return nil, notImplemented("") // PostObject is signed in its form
	case authorization == "":
		return nil, accessDenied("Access Denied.")
	}
	return h.parseAuthorization(q, authorization)
}

func unsupportedMechanism() *Error {
	return invalidRequest("The authorization mechanism you have provided is not supported. " +
		"Please use AWS4-HMAC-SHA256.")
}

// parseAuthorization reads the header Authorization (API
// Reference, "Using an authorization header").
func (h *Handler) parseAuthorization(q *request, authorization string) (*signature, error) {
	algorithm, rest, found := strings.Cut(authorization, " ")
	switch {
	case !found:
		return nil, invalidArgument("Authorization", authorization,
			"Authorization header is invalid -- one and only one ' ' (space) required.")
	case algorithm == "AWS": // Signature Version 2
		return nil, unsupportedMechanism()
	case algorithm != sigv4.Algorithm:
		return nil, invalidArgument("Authorization", algorithm, "Unsupported Authorization Type")
	}
	s := &signature{token: q.Header.Get("X-Amz-Security-Token"),
		payload: q.Header.Get("X-Amz-Content-Sha256")}
	if err := s.readTime(q.Header); err != nil {
		return nil, err
	}
	now := h.cfg.Clock()
	if skew := now.Sub(s.time); skew > maxSkew || skew < -maxSkew {
		return nil, newError(http.StatusForbidden, "RequestTimeTooSkewed",
			"The difference between the request time and the current time is too large.",
			"RequestTime", s.time.Format(sigv4.TimeFormat), "ServerTime",
			now.UTC().Format(time.RFC3339),
			"MaxAllowedSkewMilliseconds", fmt.Sprint(maxSkew.Milliseconds()))
	}
	components := strings.Split(rest, ",")
	if len(components) != 3 {
		return nil, s.malformed("the authorization header requires three components: Credential, " +
			"SignedHeaders, and Signature.")
	}
	values := map[string]string{}
	for _, c := range components {
		name, value, found := strings.Cut(strings.TrimSpace(c), "=")
		if !found || strings.Contains(value, "=") {
			return nil, s.malformed(fmt.Sprintf("the authorization component %q is malformed.",
				strings.TrimSpace(c)))
		}
		values[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if values[name] == "" {
			return nil, s.malformed("missing " + name + ".")
		}
	}
	s.headers, s.value = strings.Split(values["SignedHeaders"], ";"), values["Signature"]
	if s.payload == "" {
		return nil, invalidRequest("Missing required header for this request: x-amz-content-sha256")
	}
	return s, s.readCredential(values["Credential"])
}

// readTime reads the time of a request that is signed by header.
func (s *signature) readTime(header http.Header) (err error) {
	if date := header.Get("X-Amz-Date"); date != "" {
		s.time, err = time.Parse(sigv4.TimeFormat, date)
	} else {
		s.time, err = http.ParseTime(header.Get("Date"))
	}
	if err != nil {
		return accessDenied("AWS authentication requires a valid Date or x-amz-date header.")
	}
	return nil
}

// parsePresigned reads the parameters of a presigned URL (API Reference, "Using query parameters").
func (h *Handler) parsePresigned(q *request) (*signature, error) {
	get := q.query.Get
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",
		"X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"} {
		if get(name) == "" {
			return nil, badQuery("Query-string authentication version 4 requires the " +
				"X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, " +
				"X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		}
	}
	s := &signature{presigned: true, token: get("X-Amz-Security-Token"),
		value:   get("X-Amz-Signature"),
		headers: strings.Split(get("X-Amz-SignedHeaders"), ";"),
		payload: get("X-Amz-Content-Sha256")}
	if s.payload == "" && slices.Contains(s.headers, "x-amz-content-sha256") {
		s.payload = q.Header.Get("X-Amz-Content-Sha256")
	}
	if s.payload == "" {
		s.payload = unsignedPayload
	}
	switch get("X-Amz-Algorithm") {
	case sigv4.Algorithm:
	case "AWS4-ECDSA-P256-SHA256":
		return nil, badQuery(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`)
	default:
		return nil, badQuery(
			`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`)
	}
	if err := s.readCredential(get("X-Amz-Credential")); err != nil {
		return nil, err
	}
	var err error
	if s.time, err = time.Parse(sigv4.TimeFormat, get("X-Amz-Date")); err != nil {
		return nil, badQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	}
	seconds, err := strconv.ParseInt(get("X-Amz-Expires"), 10, 64)
	switch {
	case err != nil:
		return nil, badQuery("X-Amz-Expires should be a number")
	case seconds < 0:
		return nil, badQuery("X-Amz-Expires must be non-negative")
	case seconds > int64(maxExpires/time.Second):
		return nil, badQuery("X-Amz-Expires must be less than a week (in seconds); that is, the " +
			"given X-Amz-Expires must be less than 604800 seconds")
	}
	now, end := h.cfg.Clock(), s.time.Add(time.Duration(seconds)*time.Second)
	switch {
	case s.time.Sub(now) > maxSkew:
		return nil, accessDenied("Request is not valid yet.")
	case now.After(end):
		return nil, accessDenied("Request has expired.", "X-Amz-Expires", fmt.Sprint(seconds),
			"Expires", end.UTC().Format(time.RFC3339), "ServerTime", now.UTC().Format(time.RFC3339))
	}
	return s, nil
}

func badQuery(message string, fields ...string) *Error {
	return badRequest("AuthorizationQueryParametersError", message, fields...)
}

// readCredential reads access key id and scope.
func (s *signature) readCredential(text string) error {
	parts := strings.Split(text, "/")
	if len(parts) != 5 {
		return s.malformed("the Credential is mal-formed; expecting " +
			`"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`)
	}
	s.accessKeyID, s.scope = parts[0], sigv4.Scope{Date: parts[1], Region: parts[2],
		Service: parts[3]}
	if s.scope.Service != service {
		return s.malformed(fmt.Sprintf("incorrect service %q. This endpoint belongs to \"s3\".",
			s.scope.Service))
	}
	if parts[4] != "aws4_request" {
		return s.malformed(fmt.Sprintf("incorrect terminal %q. This endpoint uses "+
			"\"aws4_request\".", parts[4]))
	}
	if _, err := time.Parse(dateFormat, s.scope.Date); err != nil {
		return s.malformed(fmt.Sprintf("incorrect date format %q. This date in the credential "+
			"must be in the format \"yyyyMMdd\".", s.scope.Date))
	}
	return nil
}

// malformed is the error for a signature that cannot be read.
func (s *signature) malformed(message string, fields ...string) *Error {
	if s.presigned {
		return badQuery("Error parsing the X-Amz-Credential parameter; "+message, fields...)
	}
	return badRequest("AuthorizationHeaderMalformed",
		"The authorization header is malformed; "+message, fields...)
}

// otherDate is the error for a scope of another date than the request's.
func (s *signature) otherDate(date string) *Error {
	if s.presigned {
		return badQuery(fmt.Sprintf("Invalid credential date %q. This date is not the same as "+
			"X-Amz-Date: %q.", s.scope.Date, date))
	}
	return s.malformed("Invalid credential date. Date is not the same as X-Amz-Date.")
}

// mismatch is the error for a wrong signature.
func (s *signature) mismatch(stringToSign string, fields ...string) *Error {
	fields = append([]string{"AWSAccessKeyId", s.accessKeyID, "StringToSign", stringToSign,
		"SignatureProvided", s.value}, fields...)
	return newError(http.StatusForbidden, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. Check "+
			"your key and signing method.", fields...)
}

// covers refuses a request with headers that mean something to S3 and are not signed.
func (s *signature) covers(r *http.Request) error {
	var missing []string
	if !slices.Contains(s.headers, "host") {
		missing = append(missing, "host")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.headers, name) {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return accessDenied("There were headers present in the request which were not signed",
		"HeadersNotSigned", strings.Join(missing, ", "))
}

// fromLatin1 makes UTF-8 of values that are not: fetch sends characters up to U+00FF as single
// bytes (Fetch standard, "byte sequence"), and Amplify JS has signed them as characters.
func fromLatin1(header http.Header) {
	for _, values := range header {
		for i, v := range values {
			if utf8.ValidString(v) {
				continue
			}
			var chars []rune
			for _, b := range []byte(v) {
				chars = append(chars, rune(b))
			}
			values[i] = string(chars)
		}
	}
}

// unhoist makes headers of the parameters that a presigned URL has in their place. S3 ignores
// checksums there: the AWS SDK for JavaScript signs that of an empty body, and uploads with such a
// URL arrive (aws/aws-sdk#480).
func unhoist(q *request) {
	for name, values := range q.query {
		lower := strings.ToLower(name)
		_, isSum := checksum.Parse(strings.TrimPrefix(lower, "x-amz-checksum-"))
		if isSum || lower == "x-amz-sdk-checksum-algorithm" {
			continue
		}
		if len(lower) > 6 && strings.HasPrefix(lower, "x-amz-") && q.Header.Get(name) == "" {
			q.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
}

const (
	unsignedPayload        = "UNSIGNED-PAYLOAD"
	streamingUnsigned      = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streamingSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

func validPayload(payload string) bool {
	switch payload {
	case unsignedPayload, streamingUnsigned, streamingSigned, streamingSignedTrailer:
		return true
	}
	return sha256Hex.MatchString(payload)
}
