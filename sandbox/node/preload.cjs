// Loaded by `node --require`. It leads connections to the sandbox if the sandbox serves their AWS
// host. The host name stays the same in the TLS handshake, in the check of the certificate and in the
// Host header, so applications need no change.
'use strict';

const tls = require('node:tls');
const { hosts, address, port } = require('./sandbox.json');

const connect = tls.connect;

// All clients of Node.js (fetch, https, http2) call tls.connect. Its forms are (options),
// (port, host, options) and (port, options), each with or without a callback.
tls.connect = function (...args) {
  const numbers = typeof args[0] === 'object' ? [] : [args.shift()];
  const names = typeof args[0] === 'string' ? [args.shift()] : [];
  const given = typeof args[0] === 'object' && args[0] !== null ? args.shift() : {};
  const options = { ...given };
  if (numbers.length) options.port = numbers[0];
  if (names.length) options.host = names[0];
  // A socket that is already connected stays as it is.
  if (!options.socket && hosts.includes(String(options.host).toLowerCase())) {
    options.servername ||= options.host;
    options.host = address;
    options.port = port;
  }
  return connect.call(this, options, ...args);
};

// This updates the import for ES modules that import connect by name.
require('node:module').syncBuiltinESMExports();
