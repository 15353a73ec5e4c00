# What operators use: the image, the units, the installed tree. They test one
# build only.
if(NOT PASTED_SANITIZE AND NOT PASTED_FUZZ)
  pasted_script_test(e2e_container LABELS e2e TIMEOUT 900
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/container.sh)
  pasted_script_test(e2e_systemd LABELS e2e TIMEOUT 60
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/systemd.sh)
  pasted_script_test(e2e_installed LABELS e2e TIMEOUT 60
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/installed.sh)
endif()
