# Conformance with common/PROTOCOL.md, by a client of Python's standard library
# alone.
pasted_script_test(protocol_conformance LABELS e2e TIMEOUT 600
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/test_protocol.py)
