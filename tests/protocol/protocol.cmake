# Conformance with common/PROTOCOL.md, by a client of Python's standard library
# alone. Not under the thread sanitizer: its deadlines are a client's, and the
# sessions' own tests run there.
if(NOT PASTED_SANITIZE MATCHES thread)
  pasted_script_test(protocol_conformance LABELS e2e TIMEOUT 300
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_protocol.py)
endif()
