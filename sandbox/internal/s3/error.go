package s3

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
)

// Error is an error of S3 (API Reference, "Error responses").
type Error struct {
	Status        int
	Code, Message string
	// Fields are further elements of the answer: name, value, name, value …
	Fields []string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func newError(status int, code, message string, fields ...string) *Error {
	return &Error{status, code, message, fields}
}

func badRequest(code, message string, fields ...string) *Error {
	return newError(http.StatusBadRequest, code, message, fields...)
}

func invalidRequest(format string, args ...any) *Error {
	return badRequest("InvalidRequest", fmt.Sprintf(format, args...))
}

func invalidArgument(name, value, message string) *Error {
	return badRequest("InvalidArgument", message, "ArgumentName", name, "ArgumentValue", value)
}

func accessDenied(message string, fields ...string) *Error {
	return newError(http.StatusForbidden, "AccessDenied", message, fields...)
}

func noSuchBucket(name string) *Error {
	return newError(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist.",
		"BucketName", name)
}

func noSuchKey(key string) *Error {
	return newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", "Key",
		key)
}

func noSuchUpload(id string) *Error {
	return newError(http.StatusNotFound, "NoSuchUpload",
		"The specified multipart upload does not exist. The upload ID may be invalid, or the "+
			"upload may have been aborted or completed.",
		"UploadId", id)
}

func malformedXML() *Error {
	return badRequest("MalformedXML", "The XML you provided was not well-formed or did not "+
		"validate against our published schema.")
}

func malformedTrailer() *Error {
	return badRequest("MalformedTrailerError",
		"The request contained trailing data that was not well-formed or did not conform to our "+
			"published schema.")
}

func incompleteBody() *Error {
	return badRequest("IncompleteBody", "The request body terminated unexpectedly")
}

func otherLength() *Error {
	return badRequest("IncompleteBody",
		"You did not provide the number of bytes specified by the Content-Length HTTP header")
}

func missingLength() *Error {
	return newError(http.StatusLengthRequired, "MissingContentLength",
		"You must provide the Content-Length HTTP header.")
}

func badDigest(a checksum.Algorithm) *Error {
	return badRequest("BadDigest", fmt.Sprintf(
		"The %s you specified did not match the calculated checksum.", a))
}

func invalidChecksumHeader(name string) *Error {
	return invalidRequest("Value for %s header is invalid.", name)
}

func severalChecksums() *Error {
	return invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types " +
		"are not allowed.")
}

func otherChecksum(expected, actual string) *Error {
	return invalidRequest("Checksum Type mismatch occurred, expected checksum Type: %s, actual "+
		"checksum Type: %s",
		orNull(expected), orNull(actual))
}

func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

func preconditionFailed(condition string) *Error {
	return newError(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold.", "Condition", condition)
}

// notImplemented is the error for what the sandbox does not have: what a header asks for, or, if
// header is empty, an operation. S3 says the same of both.
func notImplemented(header string) *Error {
	var fields []string
	if header != "" {
		fields = []string{"Header", header}
	}
	return newError(http.StatusNotImplemented, "NotImplemented",
		"A header you provided implies functionality that is not implemented.", fields...)
}

// insufficientStorage is an error of the sandbox, with a status of WebDAV: S3 has room.
func insufficientStorage(message string) *Error {
	return newError(http.StatusInsufficientStorage, "InsufficientStorage", message)
}

// notModified is no error, but has no other answer either.
var notModified = &Error{Status: http.StatusNotModified}

// xml returns the error as a document.
func (e *Error) xml(requestID string) string {
	var b strings.Builder
	b.WriteString(xmlHeader + "<Error>")
	fields := append([]string{"Code", e.Code, "Message", e.Message}, e.Fields...)
	fields = append(fields, "RequestId", requestID, "HostId", hostID)
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, "<%s>%s</%s>", fields[i], escapeXML(fields[i+1]), fields[i])
	}
	b.WriteString("</Error>")
	return b.String()
}
