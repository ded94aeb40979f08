# The Spark kernels of a gateway: PySpark, and Spark Scala (Apache Toree). Sourced.
# write_spark_specs VENV FOLDER   writes the kernel specs `pyspark` and `spark_scala` into FOLDER
#
# Spark runs in local mode, driver and executors in one JVM on loopback. A notebook finds `spark`
# and `sc` made, as in Spark's own shells; its kernel answers nobody before, 10 s or more.

write_spark_specs() {
  local venv=$1 folder=$2 java spark toree
  for java in /usr/lib/jvm/java-17-openjdk-*/bin/java; do java=${java%/bin/java}; done
  spark=$(echo "$venv"/lib/python3.*/site-packages/pyspark)
  toree=${spark%pyspark}toree
  if [[ ! -x $java/bin/java || ! -d $toree ]]; then
    echo "The Spark kernels need openjdk-17-jre-headless and the environment \"spark\"." >&2
    return 1
  fi
  local options="--master local[*] --driver-memory 1g --conf spark.driver.host=127.0.0.1"
  options+=" --conf spark.driver.bindAddress=127.0.0.1 --conf spark.ui.enabled=false"
  options+=" --conf spark.ui.showConsoleProgress=false --conf spark.sql.shuffle.partitions=4"
  local environment="\"JAVA_HOME\": \"$java\", \"SPARK_HOME\": \"$spark\""
  environment+=", \"SPARK_LOCAL_IP\": \"127.0.0.1\", \"SPARK_LOCAL_DIRS\": \"$folder/scratch\""
  mkdir -p "$folder"/{pyspark,spark_scala}
  cat >"$folder/pyspark/kernel.json" <<JSON
{"language": "python", "display_name": "PySpark",
 "metadata": {"process_proxy": {"class_name":
   "enterprise_gateway.services.processproxies.processproxy.LocalProcessProxy"}},
 "argv": ["$venv/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
 "env": {$environment, "PYSPARK_PYTHON": "$venv/bin/python",
   "PYTHONSTARTUP": "$spark/python/pyspark/shell.py",
   "PYSPARK_SUBMIT_ARGS": "$options pyspark-shell"}}
JSON
  # Toree's run.sh evaluates the options as words of a shell.
  cat >"$folder/spark_scala/kernel.json" <<JSON
{"language": "scala", "display_name": "Spark Scala",
 "metadata": {"process_proxy": {"class_name":
   "enterprise_gateway.services.processproxies.processproxy.LocalProcessProxy"}},
 "argv": ["$toree/bin/run.sh", "--profile", "{connection_file}"],
 "env": {$environment, "DEFAULT_INTERPRETER": "Scala", "PYTHON_EXEC": "$venv/bin/python",
   "PYTHONPATH": "$spark/python", "__TOREE_OPTS__": "",
   "__TOREE_SPARK_OPTS__":
     "$options --driver-java-options --add-opens=java.base/java.util.jar=ALL-UNNAMED"}}
JSON
}
