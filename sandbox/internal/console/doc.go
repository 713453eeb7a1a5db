// Package console is the sandbox's own pages: who is in the user pool, which
// calls were answered, the outputs file, and the inbox with the messages that
// Cognito would have sent.
//
//	/console  /console/users  /console/users/{sub}  /console/groups
//	/console/calls  /console/faults  /console/outputs
//	/inbox
//
// There is no sign-in: whoever reaches the sandbox owns it. It must listen on the
// loopback interface only and refuse foreign Host headers. What its forms
// change, no other site can make a browser submit.
//
// Tests may read codes from the inbox: each is the text of an element such as
//
//	<code data-to="ada@example.com" data-kind="sign-up" data-username="…">123456</code>
//
// the newest first; /inbox?to=ada@example.com shows one recipient's.
package console
